"""What the walks have in common."""

import os
import sys

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

BASE = os.environ["VERIFYD_URL"]
ACCOUNT = os.environ["TWILIO_ACCOUNT_SID"]
TOKEN = os.environ["TWILIO_AUTH_TOKEN"]
UNKNOWN = "0" * 32

passed = 0


def same(what, got, want):
    global passed
    if got != want:
        sys.exit("%s: got %r, want %r" % (what, got, want))
    passed += 1


def refused(what, status, code, call):
    try:
        got = call()
    except TwilioRestException as e:
        same(what, (e.status, e.code), (status, code))
    else:
        sys.exit("%s: got %r, want error %d" % (what, got, code))


def connect(token):
    client = Client(ACCOUNT, token)
    client.verify.base_url = BASE  # the one line that an application adds
    return client


def done():
    print("%d passed, 0 failed" % passed)
