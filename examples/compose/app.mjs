// An application as it runs in production: nothing in it knows of verifyd, but for where a test reads the
// code that a person would.
import twilio from "twilio";

const to = "+34612345678";
const service = twilio().verify.v2.services(process.env.TWILIO_VERIFY_SERVICE_SID);
await service.verifications.create({ to, channel: "sms" });

const query = new URLSearchParams({ to, pending: true, wait: "10s", limit: 1 });
const answer = await fetch(`${process.env.VERIFYD_URL}/dev/inbox?${query}`);
const { code } = (await answer.json()).messages[0];

const check = await service.verificationChecks.create({ to, code });
console.log(check.status);
