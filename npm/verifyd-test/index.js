// A verifyd beside the tests of a Node program. The server is a child process, `verifyd run`, whose command
// is a node that says what environment it was given and then waits for the end of its input. That end comes
// when stop is called, and just as well when this process is killed: nothing is left running.
"use strict";

const { execFile, spawn } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const { syncBuiltinESMExports } = require("node:module");
const path = require("node:path");
const tls = require("node:tls");

// What verifyd run runs.
const witness = `
  process.stdout.write(JSON.stringify(process.env) + "\\n");
  process.stdin.on("end", () => process.exit()).resume();
`;

// How long a server may take to start. One that is well needs a tenth of a second.
const patience = 60_000;

// How long a server waits for one question, in milliseconds; who wants to wait longer asks again.
const longestWait = 60_000;

class Server {
  #child; // undefined if somebody else started it
  #stderr;
  #ended;
  #leave = () => {};

  constructor(env, values, child, stderr) {
    this.env = env;
    this.url = values.VERIFYD_URL;
    this.accountSid = values.TWILIO_ACCOUNT_SID;
    this.authToken = values.TWILIO_AUTH_TOKEN;
    this.serviceSid = values.TWILIO_VERIFY_SERVICE_SID;
    this.#child = child;
    this.#stderr = stderr;
  }

  async code(to, { wait = "10s", channel = "" } = {}) {
    for (let left = milliseconds(wait); ; left -= longestWait) {
      // What is no time is asked for as it is: the server says what is wrong with it.
      const step = Number.isNaN(left) ? wait : Math.min(left, longestWait);
      const query = new URLSearchParams({ to, channel, wait: duration(step), pending: "true", limit: "1" });
      const { messages } = await call(this.url, "GET", `/dev/inbox?${query}`);
      if (messages.length > 0) return messages[0].code;
      if (!(left > longestWait)) throw new Error(`verifyd-test: no code for ${to} came in ${duration(wait)}`);
    }
  }

  async advance(by) {
    await call(this.url, "POST", `/dev/clock?${new URLSearchParams({ advance: duration(by) })}`);
  }

  async next() {
    await call(this.url, "POST", "/dev/clock?next=true");
  }

  async freeze() {
    await call(this.url, "POST", "/dev/clock?freeze=true");
  }

  async resume() {
    await call(this.url, "POST", "/dev/clock?resume=true");
  }

  async now() {
    return new Date((await call(this.url, "GET", "/dev/clock")).now);
  }

  async rules(rules) {
    await call(this.url, "PUT", "/dev/rules", { rules });
  }

  async reset() {
    await call(this.url, "POST", "/dev/reset");
  }

  intercept() {
    this.#leave();
    const before = Object.fromEntries(Object.keys(this.env).map((name) => [name, process.env[name]]));
    Object.assign(process.env, this.env);
    const distrust = trust(process.env.NODE_EXTRA_CA_CERTS);
    this.#leave = () => {
      this.#leave = () => {};
      distrust();
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    };
    return () => this.#leave();
  }

  stop() {
    this.#leave();
    this.#ended ??= this.#child ? this.#end() : Promise.resolve();
    return this.#ended;
  }

  async #end() {
    const child = this.#child;
    child.ref();
    child.stdin.end();
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once("exit", resolve));
    }
    if (child.exitCode !== 0) {
      throw new Error(`verifyd-test: verifyd ended with ${child.signalCode ?? child.exitCode}: ${this.#stderr()}`);
    }
  }
}

async function start({ binary, args = [], env = {} } = {}) {
  const program = await find(binary);
  const given = { ...process.env, ...env };
  delete given.NODE_OPTIONS; // is for this process, and could have the witness print or wait
  // In a process group of its own: the terminal's Ctrl-C is for the tests, which may still need it to end.
  const child = spawn(program, ["run", "--fresh", ...args, "--", process.execPath, "-e", witness], {
    env: given,
    stdio: "pipe",
    detached: true,
  });
  let said = "";
  let started = false;
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said = (said + text).slice(-4096);
    if (started) process.stderr.write(text);
  });
  const stderr = () => said.trim() || "it said nothing";
  child.stdin.on("error", () => {}); // it has ended, and exit says so
  const line = await firstLine(child, program, stderr);
  started = true;
  for (const part of [child, child.stdin, child.stdout, child.stderr]) part.unref();

  const found = Object.entries(JSON.parse(line)).filter(([name, value]) => given[name] !== value);
  return new Server(Object.fromEntries(found), JSON.parse(line), child, stderr);
}

// firstLine is what the witness prints.
function firstLine(child, program, stderr) {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => {
      fail(`${program} has not started in ${patience / 1000} s: ${stderr()}`);
      child.kill("SIGKILL");
    }, patience);
    const fail = (why) => {
      clearTimeout(timer);
      reject(new Error(`verifyd-test: ${why}`));
    };
    child.once("error", (e) => fail(`cannot run ${program}: ${e.message}`));
    child.once("close", (code, signal) => fail(`${program} ended with ${signal ?? code}: ${stderr()}`));
    child.stdout.setEncoding("utf8").on("data", (more) => {
      text += more;
      const end = text.indexOf("\n");
      if (end < 0) return;
      clearTimeout(timer);
      resolve(text.slice(0, end));
    });
  });
}

function connect(env = process.env) {
  if (!env.VERIFYD_URL) {
    throw new Error("verifyd-test: VERIFYD_URL is not set: is the global setup of verifyd-test missing, or verifyd run?");
  }
  return new Server({}, env);
}

// call calls what a verifyd dev has beside the API, with no agent and no fetch: tests like to replace both.
function call(base, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const request = http.request(base + path, { method, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (more) => (text += more));
      answer.on("error", reject);
      answer.on("end", () => {
        let value;
        try {
          value = text === "" ? undefined : JSON.parse(text);
        } catch {
          // not one of ours; the status says so too
        }
        if (answer.statusCode < 300) return resolve(value);
        const why = value?.message ?? "is that a verifyd dev?";
        reject(new Error(`verifyd-test: ${method} ${path.split("?")[0]}: ${answer.statusCode} ${why}`));
      });
    });
    request.on("error", (e) => reject(new Error(`verifyd-test: ${base} does not answer: ${e.message}`, { cause: e })));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

// duration is a time as verifyd reads it; a number is milliseconds.
function duration(time) {
  return typeof time === "number" ? `${time}ms` : String(time);
}

const units = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

// milliseconds reads what duration writes, "1h30m" or "2.5m"; NaN is for what is no time.
function milliseconds(time) {
  if (typeof time === "number") return time;
  const text = String(time).replace(/^\+/, "");
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
  if (text === "" || text.replace(part, "") !== "") return NaN;
  return [...text.matchAll(part)].reduce((sum, [, amount, unit]) => sum + amount * units[unit], 0);
}

// trust has TLS of this process believe an authority about the names of the Verify API, and about nothing
// else: NODE_EXTRA_CA_CERTS is read when a process starts, which is over here.
function trust(file) {
  const all = fs.readFileSync(file, "utf8");
  // verifyd run puts its own behind those that were there, all of which would be read for every connection.
  const authority = all.slice(all.lastIndexOf("-----BEGIN CERTIFICATE-----"));
  const before = tls.connect;
  const after = function (options, ...rest) {
    if (isVerify(options?.servername || options?.host) && !options.ca && !options.secureContext) {
      options = { ...options, ca: authority };
    }
    return before.call(this, options, ...rest);
  };
  tls.connect = after;
  syncBuiltinESMExports();
  return () => {
    if (tls.connect !== after) return; // somebody came after us, and will put us back
    tls.connect = before;
    syncBuiltinESMExports();
  };
}

// isVerify is Diverts of internal/intercept.
function isVerify(host) {
  return /^verify\.([a-z0-9_-]+\.)*twilio\.com\.?$/i.test(host ?? "");
}

// find is the program: the one that is named, the one on PATH, or that of the checkout in which this
// package lies.
async function find(binary) {
  const named = binary || process.env.VERIFYD_BIN;
  if (named) return named;
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const program = path.join(folder, "verifyd");
    if (folder !== "" && isProgram(program)) return program;
  }
  return build();
}

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

let built; // two starts at the same time build once

function build() {
  const root = path.resolve(__dirname, "..", "..");
  if (!fs.existsSync(path.join(root, "cmd", "verifyd")) || !fs.existsSync(path.join(root, "go.mod"))) {
    throw new Error("verifyd-test: there is no verifyd: name it in VERIFYD_BIN, or have it on PATH");
  }
  const program = path.join(root, "bin", "verifyd");
  const go = ["build", "-ldflags", "-s -w", "-o", program, "./cmd/verifyd"];
  const env = { ...process.env, CGO_ENABLED: "0" };
  built ??= new Promise((resolve, reject) => {
    execFile("go", go, { cwd: root, env }, (error, _, stderr) => {
      if (!error) return resolve(program);
      built = undefined;
      reject(new Error(`verifyd-test: there is no verifyd in VERIFYD_BIN or on PATH, and go cannot build one: ${stderr.trim() || error.message}`));
    });
  });
  return built;
}

module.exports = { start, connect };
