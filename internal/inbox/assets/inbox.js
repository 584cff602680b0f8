// The inbox's page. The model is the messages by SID; the address says what is shown: ?to= is the
// search, #SM… the message that is held. Without a held message the newest is shown, and the next
// one takes its place as it arrives.
import { announce, byId, channelNames, copyButton, refreshTimes } from "./dom.js";
import { forget, forgetAll, renderList, setRowStatus, showRow } from "./list.js";
import { bindClear, bindDialogs, bindKeys, bindTheme } from "./keys.js";
import { copyCode, renderGone, renderMessage, setDetailStatus } from "./message.js";

const page = 1000; // as many as one answer holds
const kept = 6000; // a page that is left open must not grow for ever

const messages = new Map();
let ordered = []; // the same, the newest first
let fresh = new Set(); // what the stream brought since the last load began
let arrived = new Set(); // what has come in and not been drawn yet
let loads = 0;
let loaded = false;
let unseen = 0; // arrived while nobody looked

const search = byId("search");
const held = () => (/^#SM[0-9a-f]{32}$/.test(location.hash) ? location.hash.slice(1) : "");
const wide = matchMedia("(min-width: 800px)");

// --- what comes from the server ---

function connect() {
  const source = new EventSource("/dev/inbox/events");
  source.onopen = () => {
    live("live", "Live");
    load();
  };
  source.onmessage = (event) => {
    const m = JSON.parse(event.data);
    if (!messages.has(m.sid)) arrived.add(m.sid);
    fresh.add(m.sid);
    put(m);
    announce(`New ${channelNames[m.channel] ?? m.channel} to ${m.to}${m.code ? `, code ${m.code}` : ""}`);
    if (document.hidden) title(++unseen);
    draw();
  };
  source.addEventListener("cleared", () => {
    empty();
    load(); // an answer on its way may be from before
  });
  source.addEventListener("state", (event) => {
    const { verification_sid, status } = JSON.parse(event.data);
    setStatus(verification_sid, status);
  });
  source.onerror = () => {
    live("lost", "Reconnecting");
    // After a refusal, unlike a lost connection, a browser does not try again.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}

async function load() {
  const ticket = ++loads;
  fresh = new Set();
  const got = await fetchMessages({ limit: page });
  if (!got || ticket !== loads) return;
  const current = new Set(got.map((m) => m.sid));
  for (const sid of messages.keys()) if (!current.has(sid) && !fresh.has(sid)) drop(sid);
  got.forEach(put);
  loaded = true;
  draw();
}

async function fetchMessages(parameters) {
  try {
    const answer = await fetch(`/dev/inbox?${new URLSearchParams({ format: "json", ...parameters })}`);
    return answer.ok ? (await answer.json()).messages : null;
  } catch {
    return null; // the stream notices too, and loads again when it is back
  }
}

// The page holds the newest messages only; for a whole destination the server may know older ones.
let asking = 0;
function askForOlder() {
  clearTimeout(asking);
  const to = search.value.trim();
  if (!to || messages.size < page) return;
  asking = setTimeout(async () => {
    const got = await fetchMessages({ to, limit: page });
    got?.forEach((m) => messages.has(m.sid) || put(m));
    draw();
  }, 250);
}

function put(m) {
  const known = messages.get(m.sid);
  if (known) {
    setStatus(subject(m), m.verification_status);
    return;
  }
  messages.set(m.sid, m);
  const at = ordered.findIndex((other) => other.sid < m.sid);
  ordered.splice(at < 0 ? ordered.length : at, 0, m);
  if (ordered.length > kept) drop(ordered.at(-1).sid);
}

function drop(sid) {
  messages.delete(sid);
  ordered = ordered.filter((m) => m.sid !== sid);
  forget(sid);
}

function empty() {
  messages.clear();
  ordered = [];
  arrived.clear();
  forgetAll();
  draw();
}

// subject is what a message is about: a verification, or the challenge of a notification.
const subject = (m) => m.push?.data?.challenge_sid ?? m.verification_sid;

function setStatus(verification, status) {
  if (!verification) return;
  for (const m of ordered) {
    if (subject(m) !== verification || m.verification_status === status) continue;
    m.verification_status = status;
    setRowStatus(m.sid, status);
    setDetailStatus(m);
  }
}

// --- what is on the page ---

function found() {
  const wanted = search.value.trim().toLowerCase();
  return wanted ? ordered.filter((m) => m.to.toLowerCase().includes(wanted)) : ordered;
}

let drawing = 0;
function draw() {
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    drawNow();
  });
}

function drawNow() {
  if (!loaded) return;
  const list = found();
  const current = held() || list[0]?.sid || "";
  document.body.dataset.view = ordered.length || held() ? "messages" : "empty";
  document.body.toggleAttribute("data-held", Boolean(held()));
  byId("clear").disabled = ordered.length === 0;
  byId("count").textContent = count(list.length, ordered.length);
  byId("nothing").hidden = list.length > 0;
  byId("nothing").textContent = `Nothing went to “${search.value.trim()}”.`;
  renderList(list, { current, arrived });
  arrived.clear();
  drawDetail(current);
}

function count(n, all) {
  const messages = all === 1 ? "1 message" : `${all} messages`;
  return n === all ? messages : `${n} of ${messages}`;
}

async function drawDetail(sid) {
  const detail = byId("detail");
  if (!sid) {
    detail.replaceChildren();
    return;
  }
  const m = messages.get(sid);
  if (m) {
    renderMessage(detail, m, { newest: !held() });
    return;
  }
  // A link to a message that the page has not loaded, or that is gone.
  const answer = await fetch(`/dev/inbox/messages/${sid}`).catch(() => null);
  if (held() !== sid || messages.has(sid)) return;
  if (answer?.ok) renderMessage(detail, await answer.json(), {});
  else renderGone(detail);
}

function live(state, text) {
  byId("live").dataset.state = state;
  byId("live").textContent = text;
}

function title(n) {
  document.title = n ? `(${n}) Inbox · verifyd` : "Inbox · verifyd";
}

// --- moving about ---

// hold shows a message and puts it into the address. By keyboard one passes many messages, and
// each would be a step of the back button.
function hold(sid) {
  if (held()) history.replaceState(null, "", `#${sid}`);
  else history.pushState(null, "", `#${sid}`);
  drawNow();
}

function release() {
  if (document.activeElement?.matches(".row")) document.activeElement.blur();
  history.replaceState(null, "", location.pathname + location.search);
  drawNow();
}

function step(by) {
  const list = found();
  if (!list.length) return;
  const at = list.findIndex((m) => m.sid === held());
  const to = at < 0 && !wide.matches ? 0 : Math.max(0, Math.min(list.length - 1, Math.max(at, 0) + by));
  hold(list[to].sid);
  showRow(list[to].sid, { focus: document.activeElement !== search });
}

function searchFor(to) {
  search.value = to;
  searched();
}

function searched() {
  const url = new URL(location);
  if (search.value.trim()) url.searchParams.set("to", search.value.trim());
  else url.searchParams.delete("to");
  history.replaceState(null, "", url);
  askForOlder();
  draw();
}

// fromAddress forgives ?to=+34…, where + means space.
function fromAddress() {
  const to = new URLSearchParams(location.search).get("to") ?? "";
  return /^ ?\d+$/.test(to) ? `+${to.trim()}` : to.trim();
}

bindKeys(search, {
  next: () => step(1),
  previous: () => step(-1),
  copy: () => copyCode(),
  focusCurrent: () => {
    const sid = held() || found()[0]?.sid;
    if (sid) hold(sid);
    if (sid) showRow(sid, { focus: true });
  },
  clearSearch: () => searchFor(""),
  back: () => {
    if (search.value) searchFor("");
    else if (held()) release();
    else return false;
  },
});
bindDialogs();
bindTheme();
bindClear(() => ordered.length, async () => {
  const answer = await fetch("/dev/inbox", { method: "DELETE" });
  if (!answer.ok) return;
  release();
  empty();
});

search.value = fromAddress();
search.addEventListener("input", searched);
addEventListener("popstate", drawNow); // a link to #SM… too
addEventListener("visibilitychange", () => {
  if (!document.hidden) title(unseen = 0);
});
byId("detail").addEventListener("back", release);
const hint = byId("hint");
if (hint) byId("copy-hint").replaceWith(copyButton(hint.textContent, { label: "Copy" }));
setInterval(refreshTimes, 5000);
connect();
