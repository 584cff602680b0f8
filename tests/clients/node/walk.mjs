// A walk through verifyd with Twilio's library for Node, as its documentation shows it.

import { BASE, UNKNOWN, connect, done, refused, same, TOKEN } from "./harness.mjs";

const verify = connect(TOKEN);
const { sid } = await verify.services.create({ friendlyName: "Walk in Node" });
const service = verify.services(sid);

async function start(to, channel) {
  const v = await service.verifications.create({ to, channel });
  same(`start by ${channel}`, [v.status, v.channel, v.to], ["pending", channel, to]);
  return v;
}

async function check(what, want, params, s = service) {
  const c = await s.verificationChecks.create(params);
  same(what, [c.status, c.valid], want);
}

// The code that was sent to a destination last.
async function sentCode(to, verificationSid) {
  const response = await fetch(`${BASE}/dev/inbox?${new URLSearchParams({ to, wait: "10s", limit: 1 })}`);
  const { messages } = await response.json();
  same(`inbox of ${to}`, messages.map((m) => m.verification_sid), [verificationSid]);
  return messages[0].code;
}

const wrong = (code) => code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
const WRONG = ["pending", false];
const RIGHT = ["approved", true];

// Services. One is there from the start, so that two need two pages of one.
const overPages = {
  list: () => verify.services.list({ pageSize: 1 }).then((list) => list.map((s) => s.sid)),
  each: () =>
    new Promise((resolve, reject) => {
      const sids = [];
      const done = (error) => (error ? reject(error) : resolve(sids));
      verify.services.each({ pageSize: 1, done }, (s) => sids.push(s.sid));
    }),
};
for (const [name, read] of Object.entries(overPages)) {
  const sids = await read();
  same(`${name} over pages`, [sids.length >= 2, sids.includes(sid), new Set(sids).size], [true, true, sids.length]);
}
const updated = await service.update({ friendlyName: "Walked in Node", codeLength: 8 });
same("update", [updated.friendlyName, updated.codeLength], ["Walked in Node", 8]);
same("fetch", (await service.fetch()).friendlyName, "Walked in Node");

// Every channel, from the start to the approval; checked by destination and by SID in turn.
let bySid = false;
for (const [channel, to] of [
  ["sms", "+34612345621"],
  ["call", "+34612345622"],
  ["email", "jane.node@example.com"],
  ["whatsapp", "+34612345623"],
  ["rcs", "+34612345624"],
]) {
  const v = await start(to, channel);
  const code = await sentCode(to, v.sid);
  same("length of the code", code.length, 8);
  await check(`wrong code by ${channel}`, WRONG, { to, code: wrong(code) });
  const right = bySid ? { verificationSid: v.sid, code } : { to, code };
  await check(`right code by ${channel}`, RIGHT, right);
  await refused("fetch after the approval", 404, 20404, service.verifications(v.sid).fetch());
  await refused("check after the approval", 404, 20404, service.verificationChecks.create(right));
  bySid = !bySid;
}

// Resend, cancel.
{
  const first = await start("+34612345625", "sms");
  const second = await start("+34612345625", "call");
  same("a resend keeps the SID", [second.sid, second.sendCodeAttempts.length], [first.sid, 2]);
  same("fetch", (await service.verifications(first.sid).fetch()).status, "pending");
}
{
  const to = "+34612345626";
  const v = await start(to, "sms");
  const code = await sentCode(to, v.sid);
  same("cancel", (await service.verifications(v.sid).update({ status: "canceled" })).status, "canceled");
  same("fetch after canceling", (await service.verifications(v.sid).fetch()).status, "canceled");
  await refused("check after canceling", 404, 20404, service.verificationChecks.create({ to, code }));
}

// Six checks, six sends.
{
  const to = "+34612345627";
  const v = await start(to, "sms");
  const code = await sentCode(to, v.sid);
  for (let i = 0; i < 5; i++) await check("wrong code", WRONG, { to, code: wrong(code) });
  await refused("sixth check, with the right code", 429, 60202, service.verificationChecks.create({ to, code }));
  same("fetch after six checks", (await service.verifications(v.sid).fetch()).status, "max_attempts_reached");
}
{
  const to = "+34612345628";
  for (let i = 0; i < 5; i++) await start(to, "sms");
  await refused("sixth send", 429, 60203, service.verifications.create({ to, channel: "sms" }));
}

// Payments.
{
  const to = "+34612345629";
  const made = await verify.services.create({ friendlyName: "Walk in Node", psd2Enabled: true });
  const shop = verify.services(made.sid);
  const payment = { to, channel: "sms", amount: "€39.99", payee: "Acme" };
  await refused("payment without a payee", 400, 60206, shop.verifications.create({ ...payment, payee: undefined }));
  await refused("payment by call", 400, 60214, shop.verifications.create({ ...payment, channel: "call" }));
  const v = await shop.verifications.create(payment);
  const code = await sentCode(to, v.sid);
  await check("another amount", WRONG, { to, code, amount: "€1.00", payee: "Acme" }, shop);
  await check("payment", RIGHT, { to, code, amount: "€39.99", payee: "Acme" }, shop);
  same("delete", await shop.remove(), true);
}

// Codes of the application's own.
{
  const own = { to: "+34612345630", channel: "sms", customCode: "123456" };
  await refused("custom code", 403, 60204, service.verifications.create(own));
  const made = await verify.services.create({ friendlyName: "Walk in Node", customCodeEnabled: true });
  const s = verify.services(made.sid);
  await s.verifications.create(own);
  await check("custom code", RIGHT, { to: own.to, code: "123456" }, s);
  same("delete", await s.remove(), true);
}

// Rate limits.
{
  const limit = (uniqueName) => service.rateLimits.create({ uniqueName, description: "By address" });
  const made = await limit("end_user_ip");
  await refused("a second rate limit of that name", 400, 60208, limit("end_user_ip"));
  await refused("a name with a space", 400, 60209, limit("end user"));
  await limit("session");
  same("rate limits over pages", (await service.rateLimits.list({ pageSize: 1 })).length, 2);
  const one = service.rateLimits(made.sid);
  await one.update({ description: "Another" });
  const fetched = await one.fetch();
  same("rate limit", [fetched.uniqueName, fetched.description, fetched.links.buckets],
    ["end_user_ip", "Another", `${BASE}/v2/Services/${sid}/RateLimits/${made.sid}/Buckets`]);

  const bucket = await one.buckets.create({ max: 9, interval: 600 });
  await refused("a second bucket of that interval", 400, 60211, one.buckets.create({ max: 1, interval: 600 }));
  await refused("a bucket for nothing", 400, 60200, one.buckets.create({ max: 0, interval: 1 }));
  await one.buckets.create({ max: 100, interval: 3600 });
  same("buckets over pages", (await one.buckets.list({ pageSize: 1 })).length, 2);
  await one.buckets(bucket.sid).update({ max: 2 });
  const changed = await one.buckets(bucket.sid).fetch();
  same("bucket", [changed.max, changed.interval], [2, 600]);

  const by = (to, address) => service.verifications.create({ to, channel: "sms", rateLimits: { end_user_ip: address } });
  await by("+34612345632", "192.0.2.9");
  await by("+34612345633", "192.0.2.9");
  await refused("a third start from one address", 429, 20429, by("+34612345634", "192.0.2.9"));
  await by("+34612345634", "192.0.2.10");
  same("delete", await one.buckets(bucket.sid).remove(), true);
  await by("+34612345635", "192.0.2.9");
  same("delete", await one.remove(), true);
  await refused("fetch of a deleted rate limit", 404, 20404, one.fetch());
}

// Templates: the one that dev has from the start.
{
  const to = "+34612345638";
  const [t, ...more] = await verify.templates.list({ friendlyName: "Order pickup" });
  same("template", [more.length, t.channels, t.translations.es.status], [0, ["sms", "voice"], "approved"]);
  const send = (params) => service.verifications.create({ to, channel: "sms", templateSid: t.sid, ...params });
  await refused("template without values", 400, 60224, send({}));
  await refused("template by e-mail", 400, 60227, send({ to: "jane@example.com", channel: "email" }));
  const v = await send({ templateCustomSubstitutions: JSON.stringify({ store: "Sol" }) });
  await check("code of a template", RIGHT, { to, code: await sentCode(to, v.sid) });
  await refused("unknown default template", 400, 60228, service.update({ defaultTemplateSid: `HJ${UNKNOWN}` }));
  same("default template", (await service.update({ defaultTemplateSid: t.sid })).defaultTemplateSid, t.sid);
  same("no default template", (await service.update({ defaultTemplateSid: "" })).defaultTemplateSid, null);
}

// Messaging configurations.
{
  const [one, two] = ["1", "2"].map((digit) => `MG${digit.repeat(32)}`);
  const create = (country, messagingServiceSid) => service.messagingConfigurations.create({ country, messagingServiceSid });
  for (const country of ["all", "ES", "CA"]) same("country", (await create(country, one)).country, country);
  await refused("a second configuration", 400, 60213, create("ES", two));
  await refused("no country", 400, 60200, create("XX", one));
  const spain = service.messagingConfigurations("ES");
  same("updated", (await spain.update({ messagingServiceSid: two })).messagingServiceSid, two);
  const list = await service.messagingConfigurations.list({ pageSize: 1 });
  same("listed over pages", list.map((c) => c.country), ["CA", "ES", "all"]);
  same("delete", await spain.remove(), true);
  await refused("fetch after the deletion", 404, 20404, spain.fetch());
}

// Attempts, the safe list, forms.
{
  const to = "+34612345637";
  const first = await start(to, "sms");
  await start(to, "rcs");
  await check("right code", RIGHT, { to, code: await sentCode(to, first.sid) });
  const attempts = verify.verificationAttempts;
  const found = await attempts.list({ verificationSid: first.sid, pageSize: 1 });
  same("attempts over pages of one", found.map((a) => [a.channel, a.conversionStatus]),
    [["rbm", "converted"], ["sms", "unconverted"]]);
  const fetched = await attempts(found[1].sid).fetch();
  same("attempt", [fetched.verificationSid, fetched.channelData.to, fetched.price], [first.sid, to, null]);
  const dateCreatedAfter = new Date(Date.now() - 60_000);
  const dateCreatedBefore = new Date(Date.now() + 60_000);
  same("attempts by all filters", (await attempts.list({
    dateCreatedAfter, dateCreatedBefore, "channelData.to": to, country: "ES", verifyServiceSid: sid })).length, 2);
  same("unconverted attempts", (await attempts.list({
    status: "unconverted", channel: "sms", verificationSid: first.sid })).map((a) => a.channel), ["sms"]);
  const total = await verify.verificationAttemptsSummary().fetch({
    dateCreatedAfter, verifyServiceSid: sid, country: "ES", channel: "sms", destinationPrefix: "+34612" });
  same("summary", [total.totalAttempts >= 1, total.totalConverted + total.totalUnconverted], [true, total.totalAttempts]);
  await refused("unknown attempt", 404, 20404, attempts(`VL${UNKNOWN}`).fetch());
  await refused("bad country", 400, 60200, attempts.list({ country: "Spain" }));

  const phoneNumber = "+34612345633";
  const safe = await verify.safelist.create({ phoneNumber });
  same("safe number", (await verify.safelist(phoneNumber).fetch()).sid, safe.sid);
  await refused("safe number that is there", 400, 60411, verify.safelist.create({ phoneNumber }));
  same("remove a safe number", await verify.safelist(phoneNumber).remove(), true);
  await refused("safe number that was removed", 404, 20404, verify.safelist(phoneNumber).fetch());
  same("form", (await verify.forms("form-push").fetch()).formType, "form-push");
}

// What else is refused. Channel cannot be left out: the library itself refuses that.
{
  const to = "+34612345631";
  await refused("wrong token", 401, 20003, connect(UNKNOWN).services(sid).fetch());
  await refused("unknown service", 404, 20404,
    verify.services(`VA${UNKNOWN}`).verifications.create({ to, channel: "sms" }));
  for (const [what, code, params] of [
    ["bad To", 60200, { to: "+123", channel: "sms" }],
    ["bad Channel", 60200, { to, channel: "pigeon" }],
    ["unknown template", 60228, { to, channel: "sms", templateSid: `HJ${UNKNOWN}` }],
    ["call in Hebrew", 60331, { to, channel: "call", locale: "he" }],
    ["app hash by call", 60602, { to, channel: "call", appHash: "He42w354ol9" }],
  ]) {
    await refused(what, 400, code, service.verifications.create(params));
  }
  await refused("check of nothing", 400, 60221, service.verificationChecks.create({ code: "123456" }));
}

same("delete", await service.remove(), true);
await refused("fetch after the deletion", 404, 20404, service.fetch());

done();
