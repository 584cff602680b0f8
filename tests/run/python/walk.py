"""The walk of a program that knows nothing of verifyd."""

import json
import os
import urllib.parse
import urllib.request

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client


def code(to):
    query = urllib.parse.urlencode({"to": to, "wait": "10s", "limit": 1})
    with urllib.request.urlopen(os.environ["VERIFYD_URL"] + "/dev/inbox?" + query) as response:
        return json.load(response)["messages"][0]["code"]


def sign_in(client, to):
    service = client.verify.services(os.environ["TWILIO_VERIFY_SERVICE_SID"])
    started = service.verifications.create(to=to, channel="sms")
    assert started.status == "pending", started.status
    checked = service.verification_checks.create(to=to, code=code(to))
    assert checked.status == "approved", checked.status
    return started.url


url = sign_in(Client(), "+34612345611")
assert url.startswith("https://verify.twilio.com/v2/"), url
url = sign_in(Client(edge="sydney", region="au1"), "+34612345612")
assert url.startswith("https://verify.sydney.au1.twilio.com/v2/"), url

services = Client().verify.services
for name in ("One", "Two", "Three"):
    services.create(friendly_name=name)
names = [s.friendly_name for s in services.list(page_size=1)]  # over pages
assert names[:3] == ["Three", "Two", "One"], names
try:
    Client().verify.services("VA" + "0" * 32).fetch()
    raise AssertionError("a service that is not there")
except TwilioRestException as e:
    assert (e.status, e.code) == (404, 20404), e
print("passed")
