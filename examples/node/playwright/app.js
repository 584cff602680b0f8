// The program: a sign-in page as it runs in production, with nothing in it of verifyd.
import { createServer } from "node:http";
import twilio from "twilio";

const service = twilio().verify.v2.services(process.env.TWILIO_VERIFY_SERVICE_SID);

const page = (body) => `<!doctype html><meta charset="utf-8"><title>Sign in</title><main>${body}</main>`;
const text = (value) => value.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const askNumber = `<form method="post" action="/begin"><label>Phone number <input name="to" type="tel" required></label>
<button>Send me a code</button></form>`;
const askCode = (to, said = "") => `${said}<form method="post" action="/finish"><input type="hidden" name="to" value="${text(to)}">
<label>Code <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label><button>Sign in</button></form>`;

async function answer(path, form) {
  const to = form.get("to") ?? "";
  switch (path) {
    case "/begin":
      await service.verifications.create({ to, channel: "sms" });
      return askCode(to);
    case "/finish": {
      const check = await service.verificationChecks.create({ to, code: form.get("code") });
      return check.status === "approved" ? `<h1>Welcome, ${text(to)}</h1>` : askCode(to, '<p role="alert">That is not the code.</p>');
    }
    default:
      return askNumber;
  }
}

const server = createServer(async (request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  try {
    let body = "";
    for await (const part of request) body += part;
    response.end(page(await answer(request.url, new URLSearchParams(body))));
  } catch (error) {
    response.statusCode = error.status === 404 ? 200 : 502;
    response.end(page(`<p role="alert">${error.status === 404 ? "The code has expired." : "Something went wrong."}</p>${askNumber}`));
  }
});
server.listen(process.env.PORT ?? 3000, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
