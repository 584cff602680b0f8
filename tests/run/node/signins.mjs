// A program that knows nothing of verifyd, and signs people in one after the other. The arguments are the
// library and how many; it says "first" after the first of them, and "all" at the end.
const { default: twilio } = await import(process.argv[2]);
const service = twilio().verify.v2.services(process.env.TWILIO_VERIFY_SERVICE_SID);

for (let i = 0; i < Number(process.argv[3]); i++) {
  const to = `+34612${String(i).padStart(6, "0")}`;
  await service.verifications.create({ to, channel: "sms" });
  const query = new URLSearchParams({ to, pending: true, wait: "10s", limit: 1 });
  const { messages } = await (await fetch(`${process.env.VERIFYD_URL}/dev/inbox?${query}`)).json();
  const { status } = await service.verificationChecks.create({ to, code: messages[0].code });
  if (status !== "approved") throw new Error(`${to} is ${status}`);
  if (i === 0) console.log("first");
}
console.log("all");
