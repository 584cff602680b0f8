// A walk through push factors with Twilio's library for Node on the server's side; the handset is what
// its library for Android sends, in a few lines.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { ACCOUNT, BASE, TOKEN, connect, done, refused, same } from "./harness.mjs";

const verify = connect(TOKEN);
const { sid } = await verify.services.create({ friendlyName: "Push in Node" });
const service = verify.services(sid);
const identity = "user-push-node";
const user = service.entities(identity);

const base64url = (x) => Buffer.from(x).toString("base64url");
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

function jwt(header, payload) {
  const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  return `${text}.${base64url(sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }))}`;
}

// request is one that the user "token" makes, with an access token or a signed one.
async function request(method, path, password, form) {
  const answer = await fetch(`${BASE}/v2/Services/${sid}${path}`, {
    method, body: form && new URLSearchParams(form),
    headers: { Authorization: `Basic ${Buffer.from(`token:${password}`).toString("base64")}`, Accept: "application/x-www-form-urlencoded" },
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null };
}

const access = await service.accessTokens.create({ identity, factorType: "push", factorFriendlyName: "Ann's phone" });
same("access token", [access.entityIdentity, access.factorType, access.factorFriendlyName, access.ttl], [identity, "push", "Ann's phone", 60]);
same("the same again", (await service.accessTokens(access.sid).fetch()).token, access.token);
await refused("no identity", 400, 60305, service.accessTokens.create({ identity: "x", factorType: "push" }));

const made = await request("POST", `/Entities/${identity}/Factors`, access.token, {
  FriendlyName: "Ann's phone", FactorType: "push", "Binding.Alg": "ES256",
  "Binding.PublicKey": publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  "Config.SdkVersion": "0.9.0", "Config.AppId": "com.acme.app", "Config.NotificationPlatform": "fcm", "Config.NotificationToken": "token-of-the-handset",
});
same("enrol", [made.status, made.body.status, made.body.binding.alg], [201, "unverified", "ES256"]);
const factor = made.body.sid;

const login = () => {
  const now = Math.floor(Date.now() / 1000);
  return jwt({ cty: "twilio-pba;v=1", kid: made.body.config.credential_sid, typ: "JWT", alg: "ES256" }, { sub: ACCOUNT, exp: now + 600, nbf: now });
};
const device = (method, path, form) => request(method, `/Entities/${identity}${path}`, login(), form);

await refused("not verified", 403, 60318, user.challenges.create({ factorSid: factor, "details.message": "x" }));
const proof = sign("sha256", Buffer.from(factor), privateKey).toString("base64");
same("verify", (await device("POST", `/Factors/${factor}`, { AuthPayload: proof })).body.status, "verified");
same("fetch", (await user.factors(factor).fetch()).config.notification_token, "token-of-the-handset");

const fields = [{ label: "IP", value: "203.0.113.9" }, { label: "City", value: "Zürich" }];
const ask = (message) => user.challenges.create({ factorSid: factor, "details.message": message, "details.fields": fields, hiddenDetails: { tx: "4711" } });

for (const status of ["approved", "denied"]) {
  const asked = await ask(`Is it ${status}?`);
  const notification = await user.challenges(asked.sid).notifications.create({ ttl: 150 });
  same("notification", [notification.challengeSid, notification.priority, notification.ttl], [asked.sid, "high", 150]);
  const shown = await device("GET", `/Challenges/${asked.sid}`);
  const claims = {};
  for (const name of shown.headers.get("Twilio-Verify-Signature-Fields").split(",")) {
    same(`${name} is shown`, name in shown.body, true);
    claims[name] = shown.body[name];
  }
  claims.status = status;
  const answer = await device("POST", `/Challenges/${asked.sid}`, { AuthPayload: jwt({ typ: "JWT", alg: "ES256" }, claims) });
  same("answer", [answer.status, answer.body.status], [200, status]);
  const after = await user.challenges(asked.sid).fetch();
  same("as the server sees it", [after.status, after.details, after.hiddenDetails, after.dateResponded instanceof Date],
    [status, { message: `Is it ${status}?`, fields }, { tx: "4711" }, true]);
  await refused("a second answer", 403, 60322, user.challenges(asked.sid).update({ authPayload: "x" }));
  await refused("a notification of what is over", 403, 60322, user.challenges(asked.sid).notifications.create());
}
await refused("what nobody signed", 403, 60324, user.challenges((await ask("And this?")).sid).update({ authPayload: createHash("sha256").digest("hex") }));
same("pending", (await user.challenges.list({ factorSid: factor, status: "pending" })).length, 1);
same("for accounts alone", (await device("GET", `/Factors/${factor}`)).status, 401);
same("an access token for one thing", (await request("GET", `/Entities/${identity}/Challenges`, access.token)).status, 401);
same("delete", (await device("DELETE", `/Factors/${factor}`)).status, 204);
const gone = await device("GET", "/Challenges");
same("its key is gone", [gone.status, Number.isNaN(Date.parse(gone.headers.get("Date")))], [401, false]);

await verify.services(sid).remove();
done();
