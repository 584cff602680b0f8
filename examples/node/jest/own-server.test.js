// A server of this file's own: Jest runs files at the same time, and the clock and the reset of a server are
// everybody's who uses it.
const { start } = require("verifyd-test");

let srv, app;
beforeAll(async () => {
  srv = await start({ args: ["--seed", "7"] });
  srv.intercept();
  app = require("./sign-in.js"); // it reads its credentials when it is loaded
});
afterAll(() => srv.stop());

test("the same every time", async () => {
  await app.begin("+34612345678");
  expect(await srv.now()).toEqual(new Date("2026-01-01T12:00:00Z"));
  expect(await app.finish("+34612345678", await srv.code("+34612345678"))).toBe(true);
});
