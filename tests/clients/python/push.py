"""A walk through push factors with Twilio's library for Python on the server's side; the handset is a
simulated one of the inbox, as in the tests of an application."""

import json
import urllib.error
import urllib.parse
import urllib.request

from harness import BASE, TOKEN, connect, done, refused, same

client = connect(TOKEN)
made = client.verify.services.create(friendly_name="Push in Python")
service = client.verify.services(made.sid)


def inbox(method, path, **form):
    """A call of the inbox's API."""
    request = urllib.request.Request(BASE + "/dev/inbox/handsets" + path, method=method, data=urllib.parse.urlencode(form).encode() or None)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


token = service.access_tokens.create(identity="user-push-python", factor_type="push", ttl=300)
same("access token", (token.entity_identity, token.ttl, token.factor_friendly_name), ("user-push-python", 300, None))
same("the same again", service.access_tokens(token.sid).fetch().token, token.token)
refused("no identity", 400, 60305, lambda: service.access_tokens.create(identity="x", factor_type="push"))

status, handset = inbox("POST", "", identity="user-push-python", service=made.sid, friendly_name="Ann's phone", platform="apn")
same("register", (status, handset["friendly_name"], handset["challenges"]), (201, "Ann's phone", []))
factor = handset["factor_sid"]
user = service.entities("user-push-python")
same("factor", (user.factors(factor).fetch().status, [f.sid for f in user.factors.list()]), ("verified", [factor]))

fields = [{"label": "IP", "value": "203.0.113.9"}, {"label": "City", "value": "Zürich"}]
for word, want in (("approve", "approved"), ("deny", "denied")):
    asked = user.challenges.create(factor_sid=factor, details_message="Log in?", details_fields=fields, hidden_details={"tx": "4711"})
    same("challenge", (asked.status, asked.details), ("pending", {"message": "Log in?", "fields": fields}))
    sent = user.challenges(asked.sid).notifications.create(ttl=150)
    same("notification", (sent.challenge_sid, sent.priority, sent.ttl), (asked.sid, "high", 150))
    shown = inbox("GET", "/" + factor)[1]["challenges"][0]
    same("the handset shows", (shown["sid"], shown["fields"], shown["hidden_details"]), (asked.sid, fields, {"tx": "4711"}))
    same("answer", inbox("POST", "/%s/challenges/%s" % (factor, asked.sid), answer=word)[1]["status"], want)
    after = user.challenges(asked.sid).fetch()
    same("as the server sees it", (after.status, after.date_responded is None), (want, False))
    refused("a second answer", 403, 60322, lambda: user.challenges(asked.sid).update(auth_payload="x"))
    same("a second answer of the handset", inbox("POST", "/%s/challenges/%s" % (factor, asked.sid), answer=word)[0], 409)

asked = user.challenges.create(factor_sid=factor, details_message="Log in?")
refused("what nobody signed", 403, 60324, lambda: user.challenges(asked.sid).update(auth_payload="x"))
for _ in range(3):
    user.challenges(asked.sid).notifications.create()
refused("a fourth notification", 429, 60309, user.challenges(asked.sid).notifications.create)
same("pending", [c.sid for c in user.challenges.list(status="pending")], [asked.sid])
user.factors(factor).update(friendly_name="Ann's old phone", config_notification_platform="none")
refused("a notification without a platform", 400, 60307, user.challenges(user.challenges.create(
    factor_sid=factor, details_message="Log in?").sid).notifications.create)
same("remove", inbox("DELETE", "/" + factor)[0], 204)
refused("its factor is gone", 404, 20404, user.factors(factor).fetch)

service.delete()
done()
