// The tests of the package, with Node alone. VERIFYD_BIN names the verifyd.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import tls, { connect as tlsConnect } from "node:tls";
import { connect, start } from "../index.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "verifyd-test-"));
const args = ["--data", path.join(folder, "data")];
let srv;
before(async () => {
  srv = await start({ args });
});
after(async () => {
  await srv.stop();
  fs.rmSync(folder, { recursive: true });
});

const api = (srv, path, form) => send(`${srv.url}/v2/Services/${srv.serviceSid}${path}`, srv, form);

// send posts a form; its result is the status and the answer.
function send(address, srv, form, options = {}) {
  return new Promise((resolve, reject) => {
    const client = address.startsWith("https:") ? https : http;
    const auth = `${srv.accountSid}:${srv.authToken}`;
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const request = client.request(address, { method: "POST", auth, headers, agent: false, ...options }, (answer) => {
      let text = "";
      answer.on("data", (more) => (text += more));
      answer.on("end", () => resolve({ http: answer.statusCode, ...JSON.parse(text) }));
    });
    request.on("error", reject);
    request.end(String(new URLSearchParams(form)));
  });
}

const signUp = (srv, To) => api(srv, "/Verifications", { To, Channel: "sms" });
const check = (srv, To, Code) => api(srv, "/VerificationCheck", { To, Code });

// hold opens a connection that ends when the server does; gone waits for that, and finds nobody there.
async function hold(address) {
  const { hostname, port } = new URL(address);
  const socket = net.connect(port, hostname).on("error", () => {}).resume();
  const closed = once(socket, "close");
  socket.write("CONNECT verify.twilio.com:443 HTTP/1.1\r\n\r\n");
  await once(socket, "connect");
  return { address, closed };
}

async function gone({ address, closed }) {
  await closed;
  const { hostname, port } = new URL(address);
  for (let code; code !== "ECONNREFUSED"; ) {
    // Connections may be closed before the listener is, and another one be taken meanwhile.
    const socket = net.connect(port, hostname).on("error", (e) => (code = e.code)).resume();
    await new Promise((resolve) => socket.once("close", resolve));
  }
}

test("a code is read as soon as it is sent, and approves", async () => {
  const to = "+34612345601";
  const waiting = srv.code(to); // before anything was sent
  await signUp(srv, to);
  const code = await waiting;
  assert.match(code, /^\d{6}$/);
  assert.equal((await check(srv, to, code)).status, "approved");
  await assert.rejects(srv.code(to, { wait: 1 }), /no code for \+34612345601 came in 1ms/);
  await assert.rejects(srv.code(to, { wait: "soon" }), /400 Invalid parameter: wait/);
});

test("waits for different numbers do not cross", async () => {
  const numbers = Array.from({ length: 100 }, (_, i) => `+346123458${String(i).padStart(2, "0")}`);
  const codes = numbers.map((to) => srv.code(to));
  await Promise.all([...numbers].reverse().map((to) => signUp(srv, to)));
  for (const [i, to] of numbers.entries()) assert.equal((await check(srv, to, await codes[i])).status, "approved", to);
});

test("a wait is as long as it is asked for, however long a server waits for one question", async () => {
  const asked = [];
  const messages = { 5: [{ code: "4711" }] }; // the fifth question is answered
  const server = http.createServer((request, answer) => {
    asked.push(new URL(request.url, "http://localhost").searchParams.get("wait"));
    answer.end(JSON.stringify({ messages: messages[asked.length] ?? [] }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const found = connect({ VERIFYD_URL: `http://127.0.0.1:${server.address().port}` });
    for (const [wait, want] of [
      ["2m30s", ["60000ms", "60000ms", "30000ms"]],
      ["+0.05h", ["60000ms", "60000ms", "60000ms"]],
      [60_001, ["60000ms", "1ms"]],
      ["1m", ["60000ms"]],
      ["1m500us", ["60000ms", "0.5ms"]],
      ["1.5s.5ms", ["1500.5ms"]],
      [0, ["0ms"]],
      ["0", ["0"]],
      ["", [""]],
      ["-5m", ["-5m"]],
      ["5m or so", ["5m or so"]],
    ]) {
      asked.length = 0;
      await assert.rejects(found.code("+34612345600", { wait }), (e) => e.message === `verifyd-test: no code for +34612345600 came in ${wait}${typeof wait === "number" ? "ms" : ""}`);
      assert.deepEqual(asked, want, `wait: ${wait}`);
    }
    asked.length = 0;
    assert.equal(await found.code("+34612345600", { wait: "1h" }), "4711");
    assert.equal(asked.length, 5);
  } finally {
    server.close();
  }
});

test("a code expires when the clock is moved", async () => {
  const to = "+34612345602";
  await srv.freeze();
  const begun = await srv.now();
  await signUp(srv, to);
  const code = await srv.code(to);
  await srv.advance(60_000);
  await srv.next();
  assert.equal(Math.round((await srv.now() - begun) / 60_000), 10);
  assert.equal((await check(srv, to, code)).http, 404);
  await srv.advance("1h30m");
  await srv.resume();
});

test("rules hold until the reset", async () => {
  await srv.rules([{ to: "+346*", code: "4711" }]);
  await signUp(srv, "+34612345603");
  assert.equal(await srv.code("+34612345603"), "4711");
  await assert.rejects(srv.rules([{ to: "*", carrier: "flies" }]), /400 .*carrier/);
  await srv.reset();
  assert.equal((await check(srv, "+34612345603", "4711")).http, 404);
  await signUp(srv, "+34612345603");
  assert.match(await srv.code("+34612345603"), /^\d{6}$/);
});

test("a program that knows nothing of verifyd reaches it", async () => {
  const script = `curl -sS https://verify.twilio.com/v2/Services/$TWILIO_VERIFY_SERVICE_SID -u $TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN`;
  const program = spawn("sh", ["-c", script], { env: { ...process.env, ...srv.env } });
  let said = "";
  for (const stream of [program.stdout, program.stderr]) stream.on("data", (text) => (said += text));
  await once(program, "close");
  assert.match(said, new RegExp(`"sid":"${srv.serviceSid}"`));
});

test("this process reaches it, for the names of the API alone, and no longer when it has ended", async () => {
  const own = await start({ args });
  const [plain, proxy] = [tls.connect, process.env.HTTPS_PROXY];
  const form = { To: "+34612345604", Channel: "sms" };
  // What an agent for proxies does: CONNECT, and TLS on that socket.
  const through = async (host) => {
    const { hostname, port } = new URL(process.env.HTTPS_PROXY);
    const [answer, socket] = await once(http.request({ host: hostname, port, method: "CONNECT", path: `${host}:443`, agent: false }).end(), "connect");
    assert.equal(answer.statusCode, 200);
    const createConnection = () => tls.connect({ socket, servername: host });
    return send(`https://${host}/v2/Services/${own.serviceSid}/Verifications`, own, form, { createConnection, agent: undefined });
  };
  own.intercept();
  const undo = own.intercept(); // again changes nothing
  assert.equal((await through("verify.twilio.com")).status, "pending");
  assert.equal((await through("verify.sydney.au1.twilio.com")).status, "pending");
  assert.equal(tlsConnect, tls.connect, "a module that imports connect by its name is left out");
  undo();
  assert.equal(tls.connect, plain);
  assert.equal(process.env.HTTPS_PROXY, proxy);
  own.intercept();
  await own.stop();
  assert.equal(tls.connect, plain);
  assert.equal(process.env.HTTPS_PROXY, proxy);
});

test("no other host is believed because of it", () => {
  const plain = tls.connect;
  const asked = [];
  tls.connect = (options, port) => asked.push([options.servername ?? options.host ?? port, options.ca?.split("BEGIN CERTIFICATE").length === 2]);
  const undo = srv.intercept();
  for (const servername of ["verify.twilio.com", "VERIFY.us1.twilio.com.", "api.twilio.com", "verify.twilio.com.example", "xverify.twilio.com"]) tls.connect({ servername });
  tls.connect({ host: "verify.twilio.com" });
  tls.connect(443, "verify.twilio.com");
  tls.connect({ host: "verify.twilio.com", secureContext: {} });
  undo();
  tls.connect = plain;
  assert.deepEqual(asked.map(([, ca]) => ca), [true, true, false, false, false, true, false, false], JSON.stringify(asked));
});

test("two servers have nothing in common", async () => {
  const [one, two] = await Promise.all([start({ args }), start({ args, env: { OUR_SERVICE: `VA${"7".repeat(32)}` } })]);
  assert.notEqual(one.url, two.url);
  assert.equal(two.serviceSid, `VA${"7".repeat(32)}`);
  await signUp(one, "+34612345605");
  await assert.rejects(two.code("+34612345605", { wait: 1 }));
  await Promise.all([one.stop(), two.stop()]);
});

test("a seed repeats", async () => {
  const said = [];
  for (let i = 0; i < 2; i++) {
    const own = await start({ args: [...args, "--seed", "7"] });
    await signUp(own, "+34612345606");
    said.push([own.accountSid, await own.code("+34612345606")]);
    await own.stop();
  }
  assert.deepEqual(said[0], said[1]);
});

test("stopped it is gone, and says so", async () => {
  const own = await start({ args });
  const held = await Promise.all([own.url, own.env.HTTPS_PROXY].map(hold));
  await own.stop();
  await own.stop();
  await Promise.all(held.map(gone));
  await assert.rejects(own.code("+34612345607"), /does not answer/);
});

test("it ends with the process that started it, however that ends", async () => {
  const module = JSON.stringify(new URL("../index.mjs", import.meta.url));
  const script = (then) => `
    import { start } from ${module};
    const srv = await start({ args: ${JSON.stringify(args)} });
    process.stdout.write(JSON.stringify({ url: srv.url, proxy: srv.env.HTTPS_PROXY }) + "\\n", () => { ${then} });`;
  const waits = "setInterval(() => {}, 1000)";
  for (const [then, signal] of [[waits, "SIGKILL"], [waits, "SIGTERM"], ["process.exit(3)"], ["", undefined]]) {
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script(then)], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(parent, "exit");
    const [line] = await once(parent.stdout, "data");
    const { url, proxy } = JSON.parse(line);
    const held = await Promise.all((signal ? [url, proxy] : []).map(hold)); // the others may have ended already
    if (signal) parent.kill(signal);
    const [code, by] = await ended;
    assert.equal(by ?? code, signal ?? (then ? 3 : 0));
    await Promise.all(held.map(gone));
  }
});

test("what cannot start says why", async () => {
  for (const [options, why] of [
    [{ binary: "/nowhere/verifyd" }, /cannot run \/nowhere\/verifyd: .*ENOENT/],
    [{ args: ["--unknown"] }, /ended with 2: .*--help/],
    [{ args: ["--data", "/dev/null/x"] }, /ended with 1: .*data folder/],
    [{ env: { TWILIO_API_KEY: `SK${"0".repeat(32)}` } }, /ended with 1: .*TWILIO_API_KEY is set/],
    [{ binary: "/bin/false" }, /ended with 1: it said nothing/],
  ]) {
    await assert.rejects(start({ args, ...options }), (e) => e.message.startsWith("verifyd-test: ") && why.test(e.message));
  }
  assert.throws(() => connect({}), /VERIFYD_URL is not set/);
});

test("connect finds the server that somebody else started, and does not end it", async () => {
  const found = connect(srv.env);
  assert.equal(found.serviceSid, srv.serviceSid);
  await signUp(found, "+34612345608");
  assert.match(await found.code("+34612345608"), /^\d{6}$/);
  await found.stop();
  await found.reset();
});

test("the program is VERIFYD_BIN, then that of PATH, then one that go builds", async () => {
  const bin = path.join(folder, "bin");
  fs.mkdirSync(path.join(bin, "x", "verifyd"), { recursive: true }); // a folder is no program
  const echo = (file, word) => fs.writeFileSync(file, `#!/bin/sh\necho ${word} >&2; exit 9\n`, { mode: 0o755 });
  echo(path.join(bin, "named"), "named");
  echo(path.join(bin, "verifyd"), "on path");
  const { VERIFYD_BIN, PATH } = process.env;
  try {
    process.env.PATH = ["", path.join(bin, "x"), bin, PATH].join(path.delimiter);
    process.env.VERIFYD_BIN = path.join(bin, "named");
    await assert.rejects(start(), /ended with 9: named/);
    process.env.VERIFYD_BIN = "";
    await assert.rejects(start(), /ended with 9: on path/);
    process.env.PATH = path.join(bin, "x"); // and no go
    await assert.rejects(start(), /no verifyd in VERIFYD_BIN or on PATH, and go cannot build one/);
    const copy = path.join(folder, "elsewhere", "node_modules", "verifyd-test");
    fs.mkdirSync(copy, { recursive: true });
    fs.copyFileSync(new URL("../index.js", import.meta.url), path.join(copy, "index.js"));
    await assert.rejects(createRequire(import.meta.url)(path.join(copy, "index.js")).start(), /there is no verifyd: name it in VERIFYD_BIN/);
  } finally {
    Object.assign(process.env, { VERIFYD_BIN, PATH });
    if (VERIFYD_BIN === undefined) delete process.env.VERIFYD_BIN;
  }
});
