// The libraries of the vendors, as referees: they judge signatures, and send what an application
// would send. It reads one JSON object and writes one:
//
//   {"base": "http://…", "certificate": "-----BEGIN…", "calls": [{vendor, url, body, headers, key}]}
//   {"verdicts": [true, …], "authorization": "AWS4-HMAC-SHA256 …"}
//
// and sends one message by each client to the base URL, and one mail and one call by those that have them.

import { createHash, createHmac } from "node:crypto";
import { EventEmitter } from "node:events";
import https from "node:https";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { PinpointSMSVoiceV2Client, SendTextMessageCommand } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { SignatureV4 } from "@smithy/signature-v4";
import { AlgorithmTypes, Auth } from "@vonage/auth";
import { verifySignature } from "@vonage/jwt";
import { SMS } from "@vonage/sms";
import { Voice } from "@vonage/voice";
import plivo from "plivo";
import postmark from "postmark";
import Telnyx from "telnyx";
import twilio from "twilio";

const require = createRequire(import.meta.url);
const SNSValidator = require("sns-validator");
const sendgrid = require("@sendgrid/mail");
const { EventWebhook } = require("@sendgrid/eventwebhook");
const { base, certificate, calls, message: m, aws, mail, twilioCall, plivoCall, vonageCall, telnyxCall } = JSON.parse(await text(process.stdin));

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
  "plivo-call": (c) =>
    plivo.validateV3Signature("POST", c.url, c.headers["X-Plivo-Signature-V3-Nonce"], c.key, c.headers["X-Plivo-Signature-V3"], params(c.body)),
  aws: (c) => new Promise((done) => new SNSValidator().validate(JSON.parse(c.body), (e) => done(e === null))),
  sendgrid: (c) => {
    const w = new EventWebhook();
    return w.verifySignature(
      w.convertPublicKeyToECDSA(c.key), c.body,
      c.headers["X-Twilio-Email-Event-Webhook-Signature"], c.headers["X-Twilio-Email-Event-Webhook-Timestamp"],
    );
  },
};

const verdicts = [];
for (const c of calls) verdicts.push(await (judges[c.vendor] ?? judges.aws)(c));

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

async function sendMails() {
  sendgrid.setApiKey(m.secret);
  sendgrid.client.setDefaultRequest("baseUrl", base);
  await sendgrid.send({
    to: mail.to, from: { email: mail.from, name: mail.name }, subject: mail.subject,
    content: [{ type: "text/plain", value: mail.text }, { type: "text/html", value: mail.html }],
    headers: mail.headers, customArgs: { verifyd_key: m.ref },
    trackingSettings: { clickTracking: { enable: false }, openTracking: { enable: false } },
  });
  const headers = Object.entries(mail.headers).map(([Name, Value]) => ({ Name, Value }));
  await new postmark.ServerClient(m.secret, { requestHost: base.replace("http://", ""), useHttps: false }).sendEmail({
    From: `"${mail.name}" <${mail.from}>`, To: mail.to, Subject: mail.subject, TextBody: mail.text, HtmlBody: mail.html,
    Headers: headers, MessageStream: "outbound", TrackOpens: false, TrackLinks: "None",
  });
  const utf8 = (Data) => ({ Data, Charset: "UTF-8" });
  await new SESv2Client({
    region: "eu-west-1", endpoint: base, credentials: { accessKeyId: m.key, secretAccessKey: m.secret },
  }).send(
    new SendEmailCommand({
      FromEmailAddress: `"${mail.name}" <${mail.from}>`, Destination: { ToAddresses: [mail.to] },
      Content: { Simple: { Subject: utf8(mail.subject), Body: { Text: utf8(mail.text), Html: utf8(mail.html) }, Headers: headers } },
    }),
  );
}

// What is said in calls is returned.
async function placeCalls() {
  await client.calls.create({
    to: twilioCall.To, from: twilioCall.From, twiml: twilioCall.Twiml, timeout: twilioCall.Timeout, timeLimit: twilioCall.TimeLimit,
    sendDigits: twilioCall.SendDigits, statusCallback: twilioCall.StatusCallback,
  });
  const v = vonageCall.request;
  await new Voice(new Auth({ applicationId: vonageCall.application, privateKey: vonageCall.privateKey }), { apiHost: base }).createOutboundCall({
    to: v.to, from: v.from, ncco: v.ncco, eventUrl: v.event_url, eventMethod: v.event_method,
    ringingTimer: v.ringing_timer, lengthTimer: v.length_timer,
  });
  await new Telnyx({ apiKey: m.secret, baseURL: `${base}/v2` }).calls.dial(telnyxCall);

  const say = { language: "en-US" };
  const twilioSays = new twilio.twiml.VoiceResponse();
  const gather = twilioSays.gather({
    input: ["dtmf"], numDigits: 1, finishOnKey: "", timeout: 5, method: "POST", action: twilioCall.action,
  });
  gather.say(say, m.prompt);
  gather.pause({ length: 5 });
  gather.say(say, m.prompt);
  twilioSays.hangup();

  const plivoSays = new plivo.Response();
  plivoSays
    .addGetDigits({
      action: plivoCall.action, method: "POST", timeout: 5, numDigits: 1, retries: 2, redirect: true, finishOnKey: "none", log: false,
    })
    .addSpeak(m.prompt, say);
  plivoSays.addHangup({});

  return { twilio: twilioSays.toString(), plivo: plivoSays.toXML() };
}

if (mail) await sendMails();
const said = twilioCall ? await placeCalls() : {};

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

process.stdout.write(JSON.stringify({ verdicts, authorization: signed.headers.authorization, ...said }));
