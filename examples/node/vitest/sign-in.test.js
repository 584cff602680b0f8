import { beforeEach, expect, test } from "vitest";
import { connect } from "verifyd-test";
import { begin, finish } from "./sign-in.js";

const srv = connect();
beforeEach(() => srv.reset());

test("the code that was sent signs in", async () => {
  await begin("+34612345678");
  expect(await finish("+34612345678", await srv.code("+34612345678"))).toBe(true);
});

test("another code does not", async () => {
  await srv.rules([{ to: "+34612345678", code: "123456" }]);
  await begin("+34612345678");
  expect(await finish("+34612345678", "000000")).toBe(false);
});

test("a code is good for ten minutes", async () => {
  await begin("+34612345678");
  const code = await srv.code("+34612345678");
  await srv.advance("10m");
  expect(await finish("+34612345678", code)).toBe(false);
});

test("a hundred people sign in at the same time", async () => {
  const people = Array.from({ length: 100 }, (_, i) => `+346123458${String(i).padStart(2, "0")}`);
  const results = people.map(async (to) => {
    await begin(to);
    return finish(to, await srv.code(to));
  });
  expect(await Promise.all(results)).toEqual(people.map(() => true));
});
