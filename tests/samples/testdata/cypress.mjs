// What Cypress does with a configuration: it calls setupNodeEvents, and tasks when a test asks for one. In
// the place of the browser, fetch fills in the forms. (Cypress itself is a download of its own, which no
// registry has.)
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const { default: configuration } = await import(process.argv[2] + "/cypress.config.js");
const events = {};
const { baseUrl } = await configuration.e2e.setupNodeEvents((name, handler) => (events[name] = handler), {});
// As cy.task does: an argument and a result go over a wire, and undefined is a mistake.
const task = async (name, argument) => {
  const result = await events.task[name](JSON.parse(JSON.stringify(argument ?? null)));
  assert.notEqual(result, undefined, `${name} answers undefined`);
  return JSON.parse(JSON.stringify(result));
};
const submit = async (path, fields) => (await fetch(baseUrl + path, { method: "POST", body: new URLSearchParams(fields) })).text();
const to = "+34612345678";

await task("reset");
assert.match(await submit("/begin", { to }), /name="code"/);
assert.match(await submit("/finish", { to, code: await task("codeFor", to) }), /<h1>Welcome, \+34612345678</);

await task("reset");
await submit("/begin", { to });
const code = await task("codeFor", to);
await task("advance", "10m");
assert.match(await submit("/finish", { to, code }), /The code has expired/);

// The test of the sample asks for no other task.
const spec = readFileSync(process.argv[2] + "/cypress/e2e/sign-in.cy.js", "utf8");
for (const [, name] of spec.matchAll(/cy\.task\("(\w+)"/g)) assert.ok(name in events.task, name);
await events["after:run"]();
console.log("passed");
