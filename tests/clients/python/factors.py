"""A walk through entities, factors and challenges with Twilio's library for Python; the authenticator
app is oathtool."""

import subprocess
from datetime import datetime, timedelta, timezone

from harness import TOKEN, connect, done, refused, same


def code(factor, steps=0):
    """The code that an app shows now, or some steps later. A code is good for one thing, so the second
    answer takes the next one: with a skew of 1 it is taken already."""
    config = factor.config
    at = datetime.now(timezone.utc) + timedelta(seconds=steps * config["time_step"])
    return subprocess.check_output([
        "oathtool", "--totp=" + config["alg"], "--base32", "--digits", str(config["code_length"]),
        "--time-step-size", "%ds" % config["time_step"], "--now", at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        factor.binding["secret"]], text=True).strip()


client = connect(TOKEN)
made = client.verify.services.create(friendly_name="Walk in Python", totp_issuer="Walk: Python")
service = client.verify.services(made.sid)

entity = service.entities.create(identity="user-python-1")
same("entity", (entity.identity, sorted(entity.links)), ("user-python-1", ["challenges", "factors", "new_factors"]))
refused("the same entity", 409, 60301, lambda: service.entities.create(identity="USER-python-1"))
refused("a bad identity", 400, 60306, lambda: service.entities.create(identity="short"))

# The second entity comes with its factor.
user = service.entities("user-python-2")
app = user.new_factors.create(friendly_name="Ann O'Neil", factor_type="totp", metadata={"os": "x"})
same("factor", (app.status, app.factor_type, app.config, app.metadata),
     ("unverified", "totp", {"alg": "sha1", "skew": 1, "code_length": 6, "time_step": 30}, {"os": "x"}))
same("URI", app.binding["uri"], "otpauth://totp/Walk%%3A%%20Python:Ann%%20O%%27Neil?secret=%s"
     "&issuer=Walk%%3A%%20Python&algorithm=SHA1&digits=6&period=30" % app.binding["secret"])
same("entities over pages", [e.identity for e in service.entities.list(page_size=1)], ["user-python-1", "user-python-2"])

refused("challenge of an unverified factor", 403, 60318, lambda: user.challenges.create(factor_sid=app.sid))
same("wrong code", user.factors(app.sid).update(auth_payload=code(app, 100)).status, "unverified")
used = code(app)
same("right code", user.factors(app.sid).update(auth_payload=used, friendly_name="Ann").status, "verified")
fetched = user.factors(app.sid).fetch()
same("fetch", (fetched.friendly_name, fetched.status), ("Ann", "verified"))

# A challenge that is answered at once, and one that is answered later.
spent = user.challenges.create(factor_sid=app.sid, auth_payload=used)
same("a code that is spent", (spent.status, spent.date_responded), ("pending", None))
ends = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=20)
fields = [{"label": "IP", "value": "203.0.113.9"}, {"label": "City", "value": "Zürich"}]
asked = user.challenges.create(factor_sid=app.sid, expiration_date=ends, hidden_details={"tx": "4711"},
                               details_message="Log in?", details_fields=fields)
same("challenge", (asked.status, asked.details, asked.hidden_details, asked.responded_reason),
     ("pending", {"message": "Log in?", "fields": fields}, {"tx": "4711"}, "none"))
same("its end", asked.expiration_date.timestamp(), ends.timestamp())
answered = user.challenges(asked.sid).update(auth_payload=code(app, 1), metadata={"os": "y"})
same("answer", (answered.status, answered.metadata, answered.date_responded is None), ("approved", {"os": "y"}, False))
refused("a second answer", 403, 60322, lambda: user.challenges(asked.sid).update(auth_payload="123456"))
for _ in range(4):
    same("wrong code", user.challenges(spent.sid).update(auth_payload=code(app, 100)).status, "pending")
refused("a sixth answer", 429, 60308, lambda: user.challenges(spent.sid).update(auth_payload=code(app, 1)))


def listed(**query):
    return [c.sid for c in user.challenges.list(page_size=1, **query)]


same("challenges", listed(), [spent.sid, asked.sid])
same("newest first", listed(order="desc", factor_sid=app.sid), [asked.sid, spent.sid])
same("pending", listed(status="pending"), [spent.sid])

# An app of the user's own, and what is refused.
own = {"friendly_name": "Own", "factor_type": "totp", "binding_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
       "config_alg": "sha512", "config_code_length": 8}
second = user.new_factors.create(**own)
same("own secret", second.binding["secret"], own["binding_secret"])
same("eight digits", user.factors(second.sid).update(auth_payload=code(second)).status, "verified")
refused("the same secret", 409, 60317, lambda: user.new_factors.create(**own))
refused("no secret", 400, 60314, lambda: user.new_factors.create(**dict(own, binding_secret="MFRGG")))
refused("passkeys", 400, 60369, lambda: user.new_factors.create(friendly_name="P", factor_type="passkeys"))
refused("a bad step", 400, 60306,
        lambda: user.new_factors.create(friendly_name="P", factor_type="totp", config_time_step=5))
refused("unknown factor", 404, 60390, lambda: user.challenges.create(factor_sid="YF02" + "0" * 30))

same("factors", [f.sid for f in user.factors.list(page_size=1)], [app.sid, second.sid])
same("delete", user.factors(second.sid).delete(), True)
refused("fetch after the deletion", 404, 20404, user.factors(second.sid).fetch)
same("delete the entity", user.delete(), True)
refused("its factor", 404, 20404, user.factors(app.sid).fetch)
same("delete the service", service.delete(), True)

done()
