// Fixtures of Playwright: test.extend(fixtures) has verifyd, one server for each worker, so that workers do
// not see each other.
"use strict";

const { start } = require("./index.js");

exports.fixtures = {
  verifyd: [
    // Playwright reads the parameter's text: it must be a pattern, and names what the fixture needs.
    async ({}, use) => {
      const srv = await start();
      try {
        await use(srv);
      } finally {
        await srv.stop();
      }
    },
    { scope: "worker" },
  ],
};
