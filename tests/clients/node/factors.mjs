// A walk through entities, factors and challenges with Twilio's library for Node; the authenticator
// app is oathtool.

import { execFileSync } from "node:child_process";
import { TOKEN, connect, done, refused, same } from "./harness.mjs";

// The code that an app shows now, or some steps later. A code is good for one thing, so the second
// answer takes the next one: with a skew of 1 it is taken already.
function code({ binding, config }, steps = 0) {
  const at = new Date(Date.now() + steps * config.time_step * 1000).toISOString().slice(0, 19).replace("T", " ");
  return execFileSync("oathtool", [`--totp=${config.alg}`, "--base32", "--digits", config.code_length,
    "--time-step-size", `${config.time_step}s`, "--now", `${at} UTC`, binding.secret], { encoding: "utf8" }).trim();
}

const verify = connect(TOKEN);
const { sid } = await verify.services.create({ friendlyName: "Walk in Node", "totp.issuer": "Walk: Node" });
const service = verify.services(sid);

const entity = await service.entities.create({ identity: "user-node-1" });
same("entity", [entity.identity, Object.keys(entity.links)], ["user-node-1", ["factors", "new_factors", "challenges"]]);
await refused("the same entity", 409, 60301, service.entities.create({ identity: "USER-node-1" }));
await refused("a bad identity", 400, 60306, service.entities.create({ identity: "short" }));

// The second entity comes with its factor.
const user = service.entities("user-node-2");
const app = await user.newFactors.create({ friendlyName: "Ann O'Neil", factorType: "totp", metadata: { os: "x" } });
same("factor", [app.status, app.factorType, app.config, app.options, app.metadata],
  ["unverified", "totp", { alg: "sha1", skew: 1, code_length: 6, time_step: 30 }, null, { os: "x" }]);
same("URI", app.binding.uri, `otpauth://totp/Walk%3A%20Node:Ann%20O%27Neil?secret=${app.binding.secret}` +
  "&issuer=Walk%3A%20Node&algorithm=SHA1&digits=6&period=30");
const sids = [];
for (const e of await service.entities.list({ pageSize: 1 })) sids.push(e.identity);
same("entities over pages", sids, ["user-node-1", "user-node-2"]);

await refused("challenge of an unverified factor", 403, 60318, user.challenges.create({ factorSid: app.sid }));
same("wrong code", (await user.factors(app.sid).update({ authPayload: code(app, 100) })).status, "unverified");
const used = code(app);
same("right code", (await user.factors(app.sid).update({ authPayload: used, friendlyName: "Ann" })).status, "verified");
const fetched = await user.factors(app.sid).fetch();
same("fetch", [fetched.friendlyName, fetched.status, fetched.binding], ["Ann", "verified", undefined]);

// A challenge that is answered at once, and one that is answered later.
const spent = await user.challenges.create({ factorSid: app.sid, authPayload: used });
same("a code that is spent", [spent.status, spent.dateResponded ?? null], ["pending", null]);
const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 20 * 60_000);
const fields = [{ label: "IP", value: "203.0.113.9" }, { label: "City", value: "Zürich" }];
const asked = await user.challenges.create({
  factorSid: app.sid, expirationDate: ends, hiddenDetails: { tx: "4711" },
  "details.message": "Log in?", "details.fields": fields,
});
same("challenge", [asked.status, asked.details, asked.hiddenDetails, asked.expirationDate.getTime(), asked.respondedReason],
  ["pending", { message: "Log in?", fields }, { tx: "4711" }, ends.getTime(), "none"]);
const answered = await user.challenges(asked.sid).update({ authPayload: code(app, 1), metadata: { os: "y" } });
same("answer", [answered.status, answered.metadata, answered.dateResponded instanceof Date], ["approved", { os: "y" }, true]);
await refused("a second answer", 403, 60322, user.challenges(asked.sid).update({ authPayload: "123456" }));
for (let i = 0; i < 4; i++) {
  same("wrong code", (await user.challenges(spent.sid).update({ authPayload: code(app, 100) })).status, "pending");
}
await refused("a sixth answer", 429, 60308, user.challenges(spent.sid).update({ authPayload: code(app, 1) }));

const listed = async (query) => (await user.challenges.list({ pageSize: 1, ...query })).map((c) => c.sid);
same("challenges", await listed({}), [spent.sid, asked.sid]);
same("newest first", await listed({ order: "desc", factorSid: app.sid }), [asked.sid, spent.sid]);
same("pending", await listed({ status: "pending" }), [spent.sid]);

// An app of the user's own, and what is refused.
const own = { friendlyName: "Own", factorType: "totp", "binding.secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "config.alg": "sha256", "config.codeLength": 8 };
const second = await user.newFactors.create(own);
same("own secret", second.binding.secret, own["binding.secret"]);
same("eight digits", (await user.factors(second.sid).update({ authPayload: code(second) })).status, "verified");
await refused("the same secret", 409, 60317, user.newFactors.create(own));
await refused("no secret", 400, 60314, user.newFactors.create({ ...own, "binding.secret": "MFRGG" }));
await refused("passkeys", 400, 60369, user.newFactors.create({ friendlyName: "P", factorType: "passkeys" }));
await refused("a bad step", 400, 60306, user.newFactors.create({ friendlyName: "P", factorType: "totp", "config.timeStep": 5 }));
await refused("unknown factor", 404, 60390, user.challenges.create({ factorSid: `YF02${"0".repeat(30)}` }));

same("factors", (await user.factors.list({ pageSize: 1 })).map((f) => f.sid), [app.sid, second.sid]);
same("delete", await user.factors(second.sid).remove(), true);
await refused("fetch after the deletion", 404, 20404, user.factors(second.sid).fetch());
await refused("an answer to a deleted entity", 404, 20404,
  service.entities("user-node-3").challenges(spent.sid).update({ authPayload: "123456" }));
same("delete the entity", await user.remove(), true);
await refused("its factor", 404, 20404, user.factors(app.sid).fetch());
same("delete the service", await service.remove(), true);

done();
