// A walk through webhooks with Twilio's library for Node.

import { TOKEN, UNKNOWN, connect, done, refused, same } from "./harness.mjs";

const verify = connect(TOKEN);
const { sid } = await verify.services.create({ friendlyName: "Webhooks in Node" });
const service = verify.services(sid);

const made = await service.webhooks.create({
  friendlyName: "audit", eventTypes: ["factor.created", "challenge.approved"], webhookUrl: "https://app.example.test/hooks?tenant=7", versionParam: "v1",
});
same("webhook", [made.friendlyName, made.eventTypes, made.webhookUrl, made.webhookMethod, made.status, made.version],
  ["audit", ["factor.created", "challenge.approved"], "https://app.example.test/hooks?tenant=7", "POST", "enabled", "v1"]);
const all = await service.webhooks.create({ friendlyName: "all", eventTypes: ["*"], webhookUrl: "https://app.example.test/all" });
same("by default", [all.eventTypes, all.status, all.version], [["*"], "enabled", "v2"]);
same("over pages", (await service.webhooks.list({ pageSize: 1 })).map((w) => w.sid).sort(), [made.sid, all.sid].sort());
const changed = await service.webhooks(made.sid).update({ eventTypes: ["factor.deleted"], status: "disabled", versionParam: "v2" });
same("update", [changed.friendlyName, changed.eventTypes, changed.status, changed.version], ["audit", ["factor.deleted"], "disabled", "v2"]);
same("fetch", (await service.webhooks(made.sid).fetch()).eventTypes, ["factor.deleted"]);

const good = { friendlyName: "x", eventTypes: ["*"], webhookUrl: "https://app.example.test/" };
await refused("no name", 400, 20001, service.webhooks.create({ ...good, friendlyName: "" }));
await refused("an unknown event", 400, 60306, service.webhooks.create({ ...good, eventTypes: ["factor.expired"] }));
await refused("another scheme", 400, 60306, service.webhooks.create({ ...good, webhookUrl: "ftp://app.example.test/" }));
await refused("a version to come", 400, 60306, service.webhooks(all.sid).update({ versionParam: "v3" }));
await refused("an unknown webhook", 404, 20404, service.webhooks(`YW${UNKNOWN}`).fetch());
same("delete", await service.webhooks(all.sid).remove(), true);
await refused("a deleted webhook", 404, 20404, service.webhooks(all.sid).remove());
await service.remove();
await refused("a webhook of a deleted service", 404, 20404, service.webhooks(made.sid).fetch());

done();
