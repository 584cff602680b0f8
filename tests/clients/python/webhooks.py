"""A walk through webhooks with Twilio's library for Python."""

from harness import TOKEN, UNKNOWN, connect, done, refused, same

client = connect(TOKEN)
made = client.verify.services.create(friendly_name="Webhooks in Python")
service = client.verify.services(made.sid)

audit = service.webhooks.create("audit", ["factor.created", "challenge.approved"], "https://app.example.test/hooks?tenant=7", version="v1")
same("webhook", (audit.friendly_name, audit.event_types, audit.webhook_url, audit.webhook_method, audit.status, audit.version),
     ("audit", ["factor.created", "challenge.approved"], "https://app.example.test/hooks?tenant=7", "POST", "enabled", "v1"))
everything = service.webhooks.create("all", ["*"], "https://app.example.test/all")
same("by default", (everything.event_types, everything.status, everything.version), (["*"], "enabled", "v2"))
same("over pages", sorted(w.sid for w in service.webhooks.list(page_size=1)), sorted([audit.sid, everything.sid]))
changed = service.webhooks(audit.sid).update(event_types=["factor.deleted"], status="disabled", version="v2")
same("update", (changed.friendly_name, changed.event_types, changed.status, changed.version), ("audit", ["factor.deleted"], "disabled", "v2"))
same("fetch", service.webhooks(audit.sid).fetch().event_types, ["factor.deleted"])

URL = "https://app.example.test/"
refused("no name", 400, 20001, lambda: service.webhooks.create("", ["*"], URL))
refused("an unknown event", 400, 60306, lambda: service.webhooks.create("x", ["factor.expired"], URL))
refused("another scheme", 400, 60306, lambda: service.webhooks.create("x", ["*"], "ftp://app.example.test/"))
refused("a version to come", 400, 60306, lambda: service.webhooks(everything.sid).update(version="v3"))
refused("an unknown webhook", 404, 20404, lambda: service.webhooks("YW" + UNKNOWN).fetch())
same("delete", service.webhooks(everything.sid).delete(), True)
refused("a deleted webhook", 404, 20404, service.webhooks(everything.sid).delete)
service.delete()
refused("a webhook of a deleted service", 404, 20404, lambda: service.webhooks(audit.sid).fetch())

done()
