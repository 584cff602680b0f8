// The global setup of Jest: globalSetup: "verifyd-test/jest".
"use strict";

const { start } = require("./index.js");

module.exports = async function setup() {
  const srv = await start();
  srv.intercept(); // Jest runs tests in other processes, and in this one where there are few
  globalThis[Symbol.for("verifyd-test")] = srv;
};
