// The walk of a program that knows nothing of verifyd. The argument names the library.
import { strict as assert } from "node:assert";

const { default: twilio } = await import(process.argv[2]);
const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_VERIFY_SERVICE_SID, VERIFYD_URL } = process.env;

async function code(to) {
  const response = await fetch(`${VERIFYD_URL}/dev/inbox?${new URLSearchParams({ to, wait: "10s", limit: 1 })}`);
  return (await response.json()).messages[0].code;
}

async function signIn(client, to) {
  const service = client.verify.v2.services(TWILIO_VERIFY_SERVICE_SID);
  const started = await service.verifications.create({ to, channel: "sms" });
  assert.equal(started.status, "pending");
  const checked = await service.verificationChecks.create({ to, code: await code(to) });
  assert.equal(checked.status, "approved");
  return started.url;
}

assert.match(await signIn(twilio(), "+34612345601"), /^https:\/\/verify\.twilio\.com\/v2\//);
const sydney = twilio(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, { edge: "sydney", region: "au1" });
assert.match(await signIn(sydney, "+34612345602"), /^https:\/\/verify\.sydney\.au1\.twilio\.com\/v2\//);

const { services } = twilio().verify.v2;
for (const friendlyName of ["One", "Two", "Three"]) await services.create({ friendlyName });
const names = (await services.list({ pageSize: 1 })).map((s) => s.friendlyName); // over pages
assert.deepEqual(names.slice(0, 3), ["Three", "Two", "One"]);
await assert.rejects(services(`VA${"0".repeat(32)}`).fetch(), { status: 404, code: 20404 });

for (let i = 0; i < 100; i++) await signIn(twilio(), `+346123457${String(i).padStart(2, "0")}`);
console.log("passed");
