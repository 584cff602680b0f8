// A program that uses everything that the package says it has, in the types that it says.
import { test as base } from "@playwright/test";
import { connect, start, type Rule, type Server } from "verifyd-test";
import setupJest from "verifyd-test/jest";
import { fixtures, type VerifydFixtures } from "verifyd-test/playwright";
import setupVitest from "verifyd-test/vitest";

const srv: Server = await start({ binary: "verifyd", args: ["--seed", "7"], env: { OUR_SERVICE: "VA" } });
const rule: Rule = { to: "+346*", carrier: "refuses" };
await srv.rules([rule, { to: "*", code: "4711" }]);
const code: string = await srv.code("+34612345678", { wait: 500, channel: "sms" });
await srv.advance("10m");
const undo: () => void = srv.intercept();
const now: Date = await srv.now();
const words: string[] = [srv.url, srv.accountSid, srv.authToken, srv.serviceSid, srv.env.HTTPS_PROXY ?? "", code, now.toISOString()];
await Promise.all([srv.next(), srv.freeze(), srv.resume(), srv.reset(), connect().stop(), connect({ VERIFYD_URL: words[0] }).stop()]);
undo();

export const test = base.extend<{}, VerifydFixtures>(fixtures);
test("x", async ({ verifyd, page }) => page.fill("x", await verifyd.code("x")));
const end: () => Promise<void> = await setupVitest();
await setupJest();
await end();

// @ts-expect-error there is no such carrier
await srv.rules([{ to: "*", carrier: "flies" }]);
// @ts-expect-error a number is missing
await srv.code();
// @ts-expect-error the environment is for reading
srv.env.HTTPS_PROXY = "";
