const { connect } = require("verifyd-test");
const { begin, finish } = require("./sign-in.js");

const srv = connect();
beforeEach(() => srv.reset());

test("the code that was sent signs in", async () => {
  await begin("+34612345678");
  expect(await finish("+34612345678", await srv.code("+34612345678"))).toBe(true);
});

test("a code is good for ten minutes", async () => {
  await begin("+34612345678");
  const code = await srv.code("+34612345678");
  await srv.advance("10m");
  expect(await finish("+34612345678", code)).toBe(false);
});

test("a number that cannot be reached", async () => {
  await srv.rules([{ to: "+346*", carrier: "loses" }]);
  await begin("+34612345678");
  await expect(srv.code("+34612345678", { wait: 1 })).rejects.toThrow("no code for +34612345678");
});
