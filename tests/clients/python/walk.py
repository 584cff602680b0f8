"""A walk through verifyd with Twilio's library for Python, as its documentation shows it."""

import json
import urllib.parse
import urllib.request

from twilio.base import values

from harness import BASE, TOKEN, UNKNOWN, connect, done, refused, same

client = connect(TOKEN)
service = client.verify.services.create(friendly_name="Walk in Python")


def start(to, channel):
    v = service_of(service).verifications.create(to=to, channel=channel)
    same("start by " + channel, (v.status, v.channel, v.to), ("pending", channel, to))
    return v


def service_of(s):
    return client.verify.services(s.sid)


def check(what, want, s=None, **params):
    c = service_of(s or service).verification_checks.create(**params)
    same(what, (c.status, c.valid), want)


def sent_code(to, sid):
    """The code that was sent to a destination last."""
    query = urllib.parse.urlencode({"to": to, "wait": "10s", "limit": 1})
    with urllib.request.urlopen(BASE + "/dev/inbox?" + query, timeout=30) as response:
        messages = json.load(response)["messages"]
    same("inbox of " + to, [m["verification_sid"] for m in messages], [sid])
    return messages[0]["code"]


def wrong(code):
    return code[:-1] + ("1" if code.endswith("0") else "0")


WRONG, RIGHT = ("pending", False), ("approved", True)

# Services. One is there from the start, so that two need two pages of one.
for name in ("list", "stream"):
    sids = [s.sid for s in getattr(client.verify.services, name)(page_size=1)]
    same(name + " over pages", (len(sids) >= 2, service.sid in sids, len(set(sids))), (True, True, len(sids)))
updated = service_of(service).update(friendly_name="Walked in Python", code_length=8)
same("update", (updated.friendly_name, updated.code_length), ("Walked in Python", 8))
same("fetch", service_of(service).fetch().friendly_name, "Walked in Python")

# Every channel, from the start to the approval; checked by destination and by SID in turn.
for by_sid, (channel, to) in enumerate([
    ("sms", "+34612345641"),
    ("call", "+34612345642"),
    ("email", "jane.python@example.com"),
    ("whatsapp", "+34612345643"),
    ("rcs", "+34612345644"),
]):
    v = start(to, channel)
    code = sent_code(to, v.sid)
    same("length of the code", len(code), 8)
    check("wrong code by " + channel, WRONG, to=to, code=wrong(code))
    which = {"verification_sid": v.sid} if by_sid % 2 else {"to": to}
    check("right code by " + channel, RIGHT, code=code, **which)
    refused("fetch after the approval", 404, 20404, service_of(service).verifications(v.sid).fetch)
    refused("check after the approval", 404, 20404,
            lambda: service_of(service).verification_checks.create(code=code, **which))

# Resend, cancel.
first, second = start("+34612345645", "sms"), start("+34612345645", "call")
same("a resend keeps the SID", (second.sid, len(second.send_code_attempts)), (first.sid, 2))
same("fetch", service_of(service).verifications(first.sid).fetch().status, "pending")

to = "+34612345646"
v = start(to, "sms")
code = sent_code(to, v.sid)
same("cancel", service_of(service).verifications(v.sid).update(status="canceled").status, "canceled")
same("fetch after canceling", service_of(service).verifications(v.sid).fetch().status, "canceled")
refused("check after canceling", 404, 20404,
        lambda: service_of(service).verification_checks.create(to=to, code=code))

# Six checks, six sends.
to = "+34612345647"
v = start(to, "sms")
code = sent_code(to, v.sid)
for _ in range(5):
    check("wrong code", WRONG, to=to, code=wrong(code))
refused("sixth check, with the right code", 429, 60202,
        lambda: service_of(service).verification_checks.create(to=to, code=code))
same("fetch after six checks", service_of(service).verifications(v.sid).fetch().status, "max_attempts_reached")

to = "+34612345648"
for _ in range(5):
    start(to, "sms")
refused("sixth send", 429, 60203, lambda: service_of(service).verifications.create(to=to, channel="sms"))

# Payments.
to = "+34612345649"
shop = client.verify.services.create(friendly_name="Walk in Python", psd2_enabled=True)
pay = service_of(shop).verifications.create
refused("payment without a payee", 400, 60206, lambda: pay(to=to, channel="sms", amount="€39.99"))
refused("payment by call", 400, 60214, lambda: pay(to=to, channel="call", amount="€39.99", payee="Acme"))
v = pay(to=to, channel="sms", amount="€39.99", payee="Acme")
code = sent_code(to, v.sid)
check("another amount", WRONG, shop, to=to, code=code, amount="€1.00", payee="Acme")
check("payment", RIGHT, shop, to=to, code=code, amount="€39.99", payee="Acme")
same("delete", service_of(shop).delete(), True)

# Codes of the application's own.
to = "+34612345650"
refused("custom code", 403, 60204,
        lambda: service_of(service).verifications.create(to=to, channel="sms", custom_code="123456"))
own = client.verify.services.create(friendly_name="Walk in Python", custom_code_enabled=True)
service_of(own).verifications.create(to=to, channel="sms", custom_code="123456")
check("custom code", RIGHT, own, to=to, code="123456")
same("delete", service_of(own).delete(), True)

# What else is refused.
to = "+34612345651"
refused("wrong token", 401, 20003, connect(UNKNOWN).verify.services(service.sid).fetch)
refused("unknown service", 404, 20404,
        lambda: client.verify.services("VA" + UNKNOWN).verifications.create(to=to, channel="sms"))
for what, code, params in [
    ("bad To", 60200, {"to": "+123", "channel": "sms"}),
    ("bad Channel", 60200, {"to": to, "channel": "pigeon"}),
    ("no Channel", 20001, {"to": to, "channel": values.unset}),
    ("unknown template", 60228, {"to": to, "channel": "sms", "template_sid": "HJ" + UNKNOWN}),
    ("call in Hebrew", 60331, {"to": to, "channel": "call", "locale": "he"}),
    ("app hash by call", 60602, {"to": to, "channel": "call", "app_hash": "He42w354ol9"}),
]:
    refused(what, 400, code, lambda: service_of(service).verifications.create(**params))
refused("check of nothing", 400, 60221, lambda: service_of(service).verification_checks.create(code="123456"))

same("delete", service_of(service).delete(), True)
refused("fetch after the deletion", 404, 20404, service_of(service).fetch)

done()
