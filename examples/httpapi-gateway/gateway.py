"""The smallest httpapi gateway: SECRET=... python3 gateway.py [port]. It prints what it should carry."""
import base64, hmac, http.server, json, os, sys, time

secret, answers = os.environ["SECRET"], {}
key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()

class Gateway(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        h, body = self.headers, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        id, ts = h.get("webhook-id", ""), h.get("webhook-timestamp", "0")
        want = "v1," + base64.b64encode(hmac.digest(key, f"{id}.{ts}.".encode() + body, "sha256")).decode()
        signed = any(hmac.compare_digest(want.encode(), s.encode()) for s in h.get("webhook-signature", "").split())
        if not signed or abs(time.time() - int(ts)) > 300:
            return self.answer(401, {"error": {"class": "bad_request", "code": "signature"}})
        if id not in answers:  # it is the Idempotency-Key: what comes twice is carried once
            m = json.loads(body)  # here your vendor is called; keep answers where a restart finds them
            answers[id] = {"id": f"gw-{len(answers) + 1}", "parts": 1}
            print(m["channel"], m["to"], m["text"], flush=True)
        self.answer(202, answers[id])

    def answer(self, status, value):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1] if len(sys.argv) > 1 else 8089)), Gateway)
print(f"gateway on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
