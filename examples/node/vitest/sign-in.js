// The program: as it runs in production, with nothing in it of verifyd.
import twilio from "twilio";

const service = twilio().verify.v2.services(process.env.TWILIO_VERIFY_SERVICE_SID);

// begin sends a code to a number.
export async function begin(to) {
  await service.verifications.create({ to, channel: "sms" });
}

// finish reports whether a code is right.
export async function finish(to, code) {
  try {
    const check = await service.verificationChecks.create({ to, code });
    return check.status === "approved";
  } catch (error) {
    if (error.code === 20404) return false; // it has expired, or was used
    throw error;
  }
}
