// A walk through passkeys with Twilio's library for Node. The authenticator is Node's own crypto.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { TOKEN, connect, done, refused, same } from "./harness.mjs";

const SITE = "example.test";
const ORIGIN = "https://example.test";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const id = randomBytes(16);
let count = 0;

const sha256 = (data) => createHash("sha256").update(data).digest();
const clientData = (type, challenge, origin) => Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
const number = (n, bytes) => { const b = Buffer.alloc(bytes); b.writeUIntBE(n, 0, bytes); return b; };

function authenticatorData(flags, more = Buffer.alloc(0)) {
  return Buffer.concat([sha256(SITE), Buffer.from([flags]), number(count, 4), more]);
}

function answer(response) {
  const encoded = Object.fromEntries(Object.entries(response).map(([name, value]) => [name, value.toString("base64url")]));
  return { id: id.toString("base64url"), rawId: id.toString("base64url"), type: "public-key", authenticatorAttachment: "platform", response: encoded };
}

function register({ challenge }, origin = ORIGIN) {
  const { x, y } = publicKey.export({ format: "jwk" });
  const key = Buffer.concat([Buffer.from("a5010203262001215820", "hex"), Buffer.from(x, "base64url"), Buffer.from("225820", "hex"), Buffer.from(y, "base64url")]);
  const data = authenticatorData(0x45, Buffer.concat([Buffer.alloc(16), number(id.length, 2), id, key]));
  const attestationObject = Buffer.concat([Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746159", "hex"), number(data.length, 2), data]);
  return answer({ clientDataJSON: clientData("webauthn.create", challenge, origin), attestationObject });
}

function prove({ challenge }) {
  count++;
  const clientDataJSON = clientData("webauthn.get", challenge, ORIGIN);
  const authenticatorDataBytes = authenticatorData(0x05);
  const signature = sign("sha256", Buffer.concat([authenticatorDataBytes, sha256(clientDataJSON)]), privateKey);
  return answer({ clientDataJSON, authenticatorData: authenticatorDataBytes, signature });
}

const verify = connect(TOKEN);
const { sid } = await verify.services.create({
  friendlyName: "Walk in Node", "passkeys.relyingParty.id": SITE, "passkeys.relyingParty.name": "Walk", "passkeys.relyingParty.origins": ORIGIN,
  "passkeys.authenticatorAttachment": "any", "passkeys.discoverableCredentials": "preferred", "passkeys.userVerification": "required",
});
const service = verify.services(sid);
const identity = "user-node-1";

const factor = await service.newFactors.create({ friendly_name: "Ann", identity, config: { authenticator_attachment: "platform" } });
same("factor", [factor.status, factor.factorType, factor.binding, factor.config.authenticator_attachment], ["unverified", "passkeys", null, "platform"]);
const creation = factor.options.publicKey;
same("options", [creation.rp, creation.timeout, creation.pubKeyCredParams], [{ id: SITE, name: "Walk" }, 600000, [{ type: "public-key", alg: -7 }]]);
await refused("another page", 400, 60380, service.newVerifyFactors.update(register(creation, "https://evil.test")));
same("verified", (await service.newVerifyFactors.update(register(creation))).status, "verified");
await refused("the same answer", 400, 60383, service.newVerifyFactors.update(register(creation)));

for (const asked of [{}, { identity }, { identity, factor_sid: factor.sid }]) {
  const challenge = await service.newChallenge().create(asked);
  same("challenge", [challenge.status, challenge.factorSid], ["pending", asked.factor_sid ?? ""]);
  const proof = prove(challenge.options.publicKey);
  const approved = await service.approveChallenge.update(proof);
  same("approved", [approved.status, approved.identity, approved.factorSid], ["approved", identity, factor.sid]);
  await refused("the same proof", 403, 60322, service.approveChallenge.update(proof));
}
const challenge = await service.newChallenge().create({});
count = 0;
await refused("a copied key", 400, 60379, service.approveChallenge.update(prove(challenge.options.publicKey)));
same("factors", (await service.entities(identity).factors.list()).map((f) => [f.sid, f.factorType]), [[factor.sid, "passkeys"]]);
same("delete the service", await service.remove(), true);

done();
