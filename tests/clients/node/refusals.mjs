// What factors, challenges and passkeys are refused for, as Twilio's library for Node raises it. What the
// other walks meet on their way is not here again.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { request } from "node:http";
import { BASE, TOKEN, connect, done, refused, same } from "./harness.mjs";

const verify = connect(TOKEN);
const { sid } = await verify.services.create({ friendlyName: "Refusals in Node" });
const service = verify.services(sid);
const base32 = (n) => Array.from({ length: 32 }, (_, i) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(n * (i + 7) + i) % 32]).join("");

// Pages.
await service.entities.create({ identity: "user-pages" });
await refused("a page size", 400, 60373, service.entities.page({ pageSize: -1 }));
await refused("a page token", 400, 60374, service.entities.page({ pageToken: "nonsense" }));

// An app that is guessed at, and one whose codes are short.
const guessed = service.entities("user-guessed");
const app = await guessed.newFactors.create({ friendlyName: "Ann", factorType: "totp" });
for (let n = 0; n < 5; n++) {
  same("wrong code", (await guessed.factors(app.sid).update({ authPayload: "00000000" })).status, "unverified");
}
await refused("a sixth answer", 429, 60310, guessed.factors(app.sid).update({ authPayload: "000000" }));
await refused("no code", 400, 60306, guessed.factors(app.sid).update({ authPayload: "1" }));

// Push.
const phones = service.entities("user-phones");
const spki = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" }).toString("base64");
const phone = (key, more) => phones.newFactors.create({
  friendlyName: "Phone", factorType: "push", "binding.alg": "ES256", "binding.publicKey": key,
  "config.appId": "com.acme.app", "config.notificationPlatform": "none", "config.sdkVersion": "1", ...more,
});
const key = spki();
const first = await phone(key);
await refused("what its key did not sign", 403, 60311, phones.factors(first.sid).update({ authPayload: randomBytes(64).toString("base64") }));
await refused("the same key", 409, 60317, phone(key));
await refused("another curve", 400, 60314, phone(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ type: "spki", format: "der" }).toString("base64")));
await refused("another algorithm", 400, 60314, phone(spki(), { "binding.alg": "RS256" }));
await refused("no token", 400, 20001, phone(spki(), { "config.notificationPlatform": "fcm" }));
for (let n = 1; n < 20; n++) await phone(spki());
await refused("a 21st handset", 400, 60315, phone(spki()));

// A hundred factors in a day, however many are left of them.
const many = service.entities("user-many");
const one = (n) => many.newFactors.create({ friendlyName: "App", factorType: "totp" });
let last;
for (let n = 0; n < 100; n++) last = await one(n);
await refused("a 101st app", 400, 60315, one(100));
await many.factors(last.sid).remove();
await refused("a 101st in a day", 429, 60326, one(101));

// Forty entities in a second, which stands still.
// Not with fetch, which calls as a page of elsewhere would.
const clock = (move) => new Promise((resolve, reject) => {
  request(`${BASE}/dev/clock?${move}`, { method: "POST" }, (answer) => answer.resume().on("end", () => resolve(answer.statusCode))).on("error", reject).end();
});
same("stop the clock", [await clock("freeze=true"), await clock("advance=1s")], [200, 200]);
for (let n = 0; n < 40; n++) await service.entities.create({ identity: `user-quick-${n}` });
await refused("a 41st in a second", 429, 60328, service.entities.create({ identity: "user-quick-40" }));
same("go on", [await clock("advance=1s"), await clock("resume=true")], [200, 200]);

// Passkeys.
await refused("no relying party", 400, 60371, service.newFactors.create({ friendly_name: "Ann", identity: "user-keys", config: {} }));
const site = { id: "example.test", name: "Walk", origins: ["https://example.test"] };
const criteria = { authenticator_attachment: "any", discoverable_credentials: "preferred", user_verification: "preferred" };
const register = (config, more) => service.newFactors.create({ friendly_name: "Ann", identity: "user-keys", config, ...more });
await refused("no criteria", 400, 60393, register({ relying_party: site }));
await refused("no domain", 400, 60372, register({ relying_party: { ...site, id: "https://example.test" }, ...criteria }));
await refused("an unknown criterion", 400, 60370, register({ relying_party: site, ...criteria, user_verification: "perhaps" }));
await refused("no name", 400, 60388, register({ relying_party: site, ...criteria }, { friendly_name: "" }));
await refused("no identity", 400, 60367, register({ relying_party: site, ...criteria }, { identity: "" }));
const factor = await register({ relying_party: site, ...criteria });
const id = randomBytes(16).toString("base64url");
const client = (change) => Buffer.from(JSON.stringify({
  type: "webauthn.create", challenge: factor.options.publicKey.challenge, origin: "https://example.test", crossOrigin: false, ...change,
})).toString("base64url");
const answer = (change, response) => service.newVerifyFactors.update({
  id, rawId: id, type: "public-key", authenticatorAttachment: "platform",
  response: { clientDataJSON: client({}), attestationObject: "oA", ...response }, ...change,
});
await refused("no id", 400, 60375, answer({ id: "" }));
await refused("another id", 400, 60376, answer({ rawId: "AAAA" }));
await refused("another attachment", 400, 60377, answer({ authenticatorAttachment: "glued" }));
await refused("another type", 400, 60378, answer({ type: "password" }));
await refused("another ceremony", 400, 60380, answer({}, { clientDataJSON: client({ type: "webauthn.get" }) }));
await refused("a challenge of nobody", 404, 60390, answer({}, { clientDataJSON: client({ challenge: Buffer.from(`YF04${"0".repeat(30)}`).toString("base64url") }) }));
await refused("no attestation", 400, 60386, answer({}));
const sha256 = (data) => createHash("sha256").update(data).digest();
const attested = (data) => Buffer.concat([Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746158", "hex"), Buffer.from([data.length]), data]).toString("base64url");
const head = (page, flags) => Buffer.concat([sha256(page), Buffer.from([flags, 0, 0, 0, 0])]);
await refused("an attestation without a key", 400, 60387, answer({}, { attestationObject: attested(head("example.test", 0x05)) }));
await refused("for another site", 400, 60382, answer({}, { attestationObject: attested(head("evil.test", 0x05)) }));
await refused("a key that is none", 400, 60385, answer({}, {
  attestationObject: attested(Buffer.concat([head("example.test", 0x45), Buffer.alloc(16), Buffer.from([0, 16]), Buffer.from(id, "base64url"), Buffer.from("a0", "hex")])),
}));
await refused("a challenge of an unverified passkey", 403, 60318, service.newChallenge().create({ identity: "user-keys", factor_sid: factor.sid }));
await refused("a factor that is none", 400, 60362, service.newChallenge().create({ identity: "user-keys", factor_sid: "YF" }));
await refused("a factor of nobody", 404, 60390, service.newChallenge().create({ identity: "user-keys", factor_sid: `YF04${"0".repeat(30)}` }));
await refused("an identity of nobody", 404, 60392, service.newChallenge().create({ identity: "user-nobody" }));
await refused("a proof of nothing", 404, 60391, service.approveChallenge.update({
  id, rawId: id, type: "public-key", authenticatorAttachment: "platform",
  response: { clientDataJSON: client({ type: "webauthn.get", challenge: Buffer.from(`YC04${"0".repeat(30)}`).toString("base64url") }), authenticatorData: "AA", signature: "AA" },
}));

await service.remove();
done();
