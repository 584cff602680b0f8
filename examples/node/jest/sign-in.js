// The program: as it runs in production, with nothing in it of verifyd.
const twilio = require("twilio");

const service = twilio().verify.v2.services(process.env.TWILIO_VERIFY_SERVICE_SID);

// begin sends a code to a number.
exports.begin = async (to) => {
  await service.verifications.create({ to, channel: "sms" });
};

// finish reports whether a code is right.
exports.finish = async (to, code) => {
  try {
    const check = await service.verificationChecks.create({ to, code });
    return check.status === "approved";
  } catch (error) {
    if (error.code === 20404) return false; // it has expired, or was used
    throw error;
  }
};
