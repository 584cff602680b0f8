"""What factors and challenges are refused for, as Twilio's library for Python raises it. What the other walks
meet on their way is not here again. Passkeys are not in this library, and of a page that
is refused it does not read the code."""

import base64
import subprocess
import urllib.request
from datetime import datetime, timedelta, timezone

from harness import BASE, TOKEN, connect, done, refused, same

client = connect(TOKEN)
made = client.verify.services.create(friendly_name="Refusals in Python")
service = client.verify.services(made.sid)


def clock(move):
    """Moves the clock of verifyd dev."""
    urllib.request.urlopen(urllib.request.Request(BASE + "/dev/clock?" + move, method="POST")).read()


def spki(curve="prime256v1"):
    """A new public key, as a handset sends it."""
    key = subprocess.run(["openssl", "ecparam", "-name", curve, "-genkey", "-noout"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "ec", "-pubout", "-outform", "DER"], input=key, capture_output=True, check=True).stdout
    return base64.b64encode(der).decode()


# An app that is guessed at, and challenges of one whose codes are short.
guessed = service.entities("user-guessed")
app = guessed.new_factors.create(friendly_name="Ann", factor_type="totp")
for _ in range(5):
    same("wrong code", guessed.factors(app.sid).update(auth_payload="00000000").status, "unverified")
refused("a sixth answer", 429, 60310, lambda: guessed.factors(app.sid).update(auth_payload="000000"))

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
short = guessed.new_factors.create(friendly_name="Short", factor_type="totp", binding_secret=SECRET, config_code_length=8)
now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
code = subprocess.check_output(["oathtool", "--totp", "--base32", "--digits", "8", "--now", now, SECRET], text=True).strip()
same("verified", guessed.factors(short.sid).update(auth_payload=code).status, "verified")
guessed.factors(short.sid).update(config_code_length=4)
for _ in range(10):
    asked = guessed.challenges.create(factor_sid=short.sid)
refused("an eleventh challenge in a day", 429, 60312, lambda: guessed.challenges.create(factor_sid=short.sid))
refused("an end that is past", 400, 60306, lambda: guessed.challenges.create(factor_sid=short.sid, expiration_date=datetime.now(timezone.utc) - timedelta(hours=1)))
guessed.factors(short.sid).delete()
refused("an answer of a factor that is gone", 403, 60323, lambda: guessed.challenges(asked.sid).update(auth_payload="0000"))

# Push.
phones = service.entities("user-phones")


def phone(key, **more):
    config = {"config_app_id": "com.acme.app", "config_notification_platform": "none", "config_sdk_version": "1"}
    return phones.new_factors.create(friendly_name="Phone", factor_type="push", binding_alg="ES256", binding_public_key=key, **dict(config, **more))


key = spki()
first = phone(key)
refused("what its key did not sign", 403, 60311, lambda: phones.factors(first.sid).update(auth_payload=base64.b64encode(b"x" * 64).decode()))
refused("the same key", 409, 60317, lambda: phone(key))
refused("another curve", 400, 60314, lambda: phone(spki("secp384r1")))
refused("no token", 400, 20001, lambda: phone(spki(), config_notification_platform="fcm"))
for _ in range(19):
    phone(spki())
refused("a 21st handset", 400, 60315, lambda: phone(spki()))

# A hundred factors in a day, however many are left of them.
many = service.entities("user-many")


def one():
    return many.new_factors.create(friendly_name="App", factor_type="totp")


for _ in range(100):
    last = one()
refused("a 101st app", 400, 60315, one)
many.factors(last.sid).delete()
refused("a 101st in a day", 429, 60326, one)

# Forty entities in a second, which stands still.
clock("freeze=true")
clock("advance=1s")
for n in range(40):
    service.entities.create(identity="user-quick-%d" % n)
refused("a 41st in a second", 429, 60328, lambda: service.entities.create(identity="user-quick-40"))
clock("advance=1s")
clock("resume=true")

service.delete()
done()
