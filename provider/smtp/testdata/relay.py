"""A relay for the tests: aiosmtpd, with STARTTLS and a login; Python's own parser reads the mails.

relay.py cert.pem key.pem user password. It prints its port, then each mail as a line of JSON. An
address such as rcpt-550@acme.example is refused with that code at that command.
"""
import asyncio, email, email.policy, json, re, ssl, sys

from aiosmtpd.smtp import SMTP, AuthResult

cert, key, user, password = sys.argv[1:]


def refusal(command, address):
    found = re.match(command + r"-(\d)(\d\d)@", address)
    return found and f"{found[1]}{found[2]} {found[1]}.0.0 as you wish"


class Relay:
    mails = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return refusal("mail", address) or "250 2.1.0 Ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if no := refusal("rcpt", address):
            return no
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        if no := refusal("data", envelope.rcpt_tos[0]):
            return no
        self.mails += 1
        queued = f"4F1B2C{self.mails:04}"
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        (sender,), (recipient,) = mail["From"].addresses, mail["To"].addresses
        print(json.dumps({
            "id": queued, "tls": session.ssl is not None,
            "mail_from": envelope.mail_from, "rcpt_to": envelope.rcpt_tos,
            "from": sender.addr_spec, "from_name": sender.display_name, "to": recipient.addr_spec,
            # A long subject is folded after its colon, and Python 3.11 keeps the space of the fold.
            "subject": mail["Subject"].lstrip(), "headers": dict(mail.items()),
            "parts": [[p.get_content_type(), p.get_content()] for p in mail.iter_parts()],
            "defects": [repr(d) for p in mail.walk() for d in p.defects],
        }), flush=True)
        return f"250 2.0.0 Ok: queued as {queued}"


def authenticate(server, session, envelope, mechanism, login):
    right = (login.login, login.password) == (user.encode(), password.encode())
    return AuthResult(success=right, handled=False)  # aiosmtpd answers


async def main():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)
    relay = Relay()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(relay, hostname="relay.test", tls_context=tls, require_starttls=True,
                     authenticator=authenticate, auth_required=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
