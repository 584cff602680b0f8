// What the walks have in common.

import { isDeepStrictEqual } from "node:util";
import twilio from "twilio";

export const { VERIFYD_URL: BASE, TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: TOKEN } = process.env;
export const UNKNOWN = "0".repeat(32);

let passed = 0;

function fail(line) {
  console.log(line);
  process.exit(1);
}

export function same(what, got, want) {
  if (!isDeepStrictEqual(got, want)) fail(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  passed++;
}

export async function refused(what, status, code, promise) {
  let got;
  try {
    got = await promise;
  } catch (e) {
    if (e.code === undefined) fail(`${what}: got ${e}, want error ${code}`);
    same(what, [e.status, e.code, e.moreInfo], [status, code, `https://www.twilio.com/docs/errors/${code}`]);
    return;
  }
  fail(`${what}: got ${JSON.stringify(got)}, want error ${code}`);
}

export function connect(token) {
  const client = twilio(ACCOUNT, token);
  client.verify.baseUrl = BASE; // the one line that an application adds
  return client.verify.v2;
}

export function done() {
  console.log(`${passed} passed, 0 failed`);
}
