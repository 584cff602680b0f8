// The global teardown of Jest: globalTeardown: "verifyd-test/jest-teardown".
"use strict";

module.exports = async function teardown() {
  await globalThis[Symbol.for("verifyd-test")]?.stop();
};
