// The libraries of the vendors, as referees: they judge signatures, and send what an application
// would send. It reads one JSON object and writes one:
//
//   {"base": "http://…", "certificate": "-----BEGIN…", "calls": [{vendor, url, body, headers, key}]}
//   {"verdicts": [true, …], "authorization": "AWS4-HMAC-SHA256 …"}
//
// and sends one message by each client to the base URL.

import { createHash, createHmac } from "node:crypto";
import { EventEmitter } from "node:events";
import https from "node:https";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { PinpointSMSVoiceV2Client, SendTextMessageCommand } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { SignatureV4 } from "@smithy/signature-v4";
import { AlgorithmTypes, Auth } from "@vonage/auth";
import { verifySignature } from "@vonage/jwt";
import { SMS } from "@vonage/sms";
import plivo from "plivo";
import Telnyx from "telnyx";
import twilio from "twilio";

const SNSValidator = createRequire(import.meta.url)("sns-validator");
const { base, certificate, calls, message: m, aws } = JSON.parse(await text(process.stdin));

const params = (body) => Object.fromEntries(new URLSearchParams(body));

// sns-validator fetches the certificate from Amazon: here it gets ours.
https.get = (url, answered) => {
  const response = Object.assign(new EventEmitter(), { statusCode: 200 });
  answered(response);
  response.emit("data", Buffer.from(certificate));
  response.emit("end");
  return new EventEmitter();
};

const judges = {
  twilio: (c) => twilio.validateRequest(c.key, c.headers["X-Twilio-Signature"], c.url, params(c.body)),
  vonage: (c) => new SMS({}).verifySignature(params(c.body).sig, params(c.body), c.key, AlgorithmTypes.sha256hmac),
  "vonage-jwt": (c) => verifySignature(c.headers.Authorization.replace("Bearer ", ""), c.key),
  plivo: (c) => plivo.validateSignature(c.url, c.headers["X-Plivo-Signature-V2-Nonce"], c.headers["X-Plivo-Signature-V2"], c.key),
  telnyx: (c) =>
    new Telnyx({ apiKey: "x" }).webhooks.unwrap(c.body, { headers: c.headers, key: c.key }).then(
      () => true,
      () => false,
    ),
  aws: (c) => new Promise((done) => new SNSValidator().validate(JSON.parse(c.body), (e) => done(e === null))),
};

const verdicts = [];
for (const c of calls) verdicts.push(await judges[c.vendor](c));

const client = twilio(m.account, m.secret);
client.api.baseUrl = base;
await client.messages.create({
  to: m.to, from: m.from, body: m.text, statusCallback: m.report, validityPeriod: m.seconds,
});
await new SMS(new Auth({ apiKey: m.key, apiSecret: m.secret }), { restHost: base }).send({
  to: m.to.slice(1), from: m.from, text: m.text, ttl: m.seconds * 1000, clientRef: m.ref, statusReportReq: 1, callback: m.report,
});
await new Telnyx({ apiKey: m.secret, baseURL: `${base}/v2` }).messages.send({
  from: m.from, to: m.to, text: m.text, webhook_url: m.report,
});
await new PinpointSMSVoiceV2Client({
  region: "eu-west-1", endpoint: base, credentials: { accessKeyId: m.key, secretAccessKey: m.secret },
}).send(
  new SendTextMessageCommand({
    DestinationPhoneNumber: m.to, OriginationIdentity: m.from, MessageBody: m.text, MessageType: "TRANSACTIONAL",
    TimeToLive: m.seconds, Context: { key: m.ref },
  }),
);

// The signature that AWS's own code makes for the request that verifyd has sent.
class Sha256 {
  constructor(secret) {
    this.hash = secret ? createHmac("sha256", secret) : createHash("sha256");
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return this.hash.digest();
  }
}
const signed = await new SignatureV4({
  credentials: { accessKeyId: m.key, secretAccessKey: m.secret }, region: "eu-west-1", service: "sms-voice",
  sha256: Sha256, applyChecksum: false,
}).sign(
  { method: "POST", protocol: "http:", hostname: aws.headers.host, path: "/", query: {}, headers: aws.headers, body: aws.body },
  { signingDate: new Date(aws.date) },
);

process.stdout.write(JSON.stringify({ verdicts, authorization: signed.headers.authorization }));
