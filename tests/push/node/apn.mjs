// Sends the challenges that it is given on its standard input to Apple's stand-in, as an application
// would that used the library for APNs, and says for each what the library makes of the answer.
//
//   {"port", "ca", "key", "keyId", "teamId", "notes": [{"token", "topic", "expiry", "collapseId", …}]}
import { readFileSync } from 'node:fs';
import apn from '@parse/node-apn';

const { port, ca, key, keyId, teamId, notes } = JSON.parse(readFileSync(0, 'utf8'));
const provider = new apn.Provider({
  token: { key, keyId, teamId }, address: '127.0.0.1', port, ca, connectionRetryLimit: 0,
});
for (const { token, payload, ...properties } of notes) {
  const note = new apn.Notification({ pushType: 'alert', priority: 10, ...properties });
  note.payload = payload;
  const { sent, failed } = await provider.send(note, [token]);
  const [no] = failed;
  console.log(sent.length === 1 ? 'taken' : `${no.status} ${no.response?.reason ?? no.error} ${no.response?.timestamp ?? ''}`.trim());
}
await provider.shutdown();
