// The clock of verifyd dev: what it shows, and the buttons that move it. The page's own times follow it.
import { absolute, announce, byId, h, now, setNow } from "./dom.js";
import { kinds, tell } from "./happened.js";

const face = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
let frozen = false;
let ahead = 0; // of the browser's clock, while it runs
let still = 0; // the time, while it does not
let service = ""; // whose time is shown and moved, "" for the server's
let lead = 0; // of that service's time

// words is a span of time for people, in its largest unit or two.
function words(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 60000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  return hours ? (minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`) : `${minutes} min`;
}

function show(state) {
  if (service) {
    lead = Date.parse(state.now) - now();
    showNext(state);
    tick();
    return;
  }
  frozen = state.frozen;
  still = Date.parse(state.now);
  ahead = still - Date.now();
  setNow(() => (frozen ? still : Date.now() + ahead));
  byId("clock").dataset.frozen = frozen;
  byId("clock-hold").textContent = frozen ? "Resume" : "Freeze";
  showNext(state);
  tick();
}

function showNext(state) {
  if (state.next === undefined) return;
  byId("clock-next").textContent = state.next ? `Next: ${absolute(state.next)}` : "Nothing is due.";
  byId("clock-run").disabled = !state.next;
}

function tick() {
  const shift = now() - Date.now();
  const shifted = Math.abs(shift) >= 60000;
  const element = byId("clock-now");
  const time = now() + (service ? lead : 0);
  element.dateTime = new Date(time).toISOString();
  element.textContent = face.format(time);
  const state = frozen ? "frozen" : "running";
  byId("clock-state").textContent = !service ? state : lead < 60000 ? `${state}, as the server` : `${state}, ${words(lead)} ahead`;
  byId("clock-shift").textContent = shifted ? `${shift < 0 ? "\u2212" : "+"}${words(shift)}` : frozen ? "frozen" : "";
}

async function call(method, move) {
  const trouble = byId("clock-trouble");
  try {
    const query = [service && `service=${service}`, move].filter(Boolean).join("&");
    const answer = await fetch(`/dev/clock${query && `?${query}`}`, { method });
    const body = await answer.json();
    if (answer.ok) show(body);
    trouble.textContent = answer.ok ? "" : body.message;
  } catch {
    trouble.textContent = "verifyd does not answer.";
  }
}

async function press(button, move) {
  button.disabled = true;
  await call("POST", move);
  button.disabled = false;
  byId("clock-run").disabled = byId("clock-next").textContent === "Nothing is due.";
  announce(`The clock is at ${byId("clock-now").textContent}`);
}

for (const button of document.querySelectorAll("[data-move]")) {
  button.addEventListener("click", () => press(button, button.dataset.move));
}
byId("clock-hold").addEventListener("click", (event) => press(event.currentTarget, frozen ? "resume=true" : "freeze=true"));
byId("clock-panel").addEventListener("toggle", (event) => {
  if (event.newState !== "open") return;
  call("GET");
  listServices();
});

// listServices offers the services that can be moved on alone; the one that is chosen stays so.
async function listServices() {
  let services;
  try {
    ({ services } = await (await fetch("/dev/clock/services")).json());
  } catch {
    return; // the panel says that nobody answers
  }
  const select = byId("clock-service");
  select.replaceChildren(h("option", { value: "" }, "the whole server"),
    ...services.map((s) => h("option", { value: s.sid, title: s.sid }, s.friendly_name)));
  select.value = service;
  byId("clock-of").hidden = services.length === 0;
}

listServices(); // before the panel opens: nothing in it shall move below somebody's finger

byId("clock-service").addEventListener("change", (event) => {
  service = event.currentTarget.value;
  lead = 0;
  byId("clock-hold").hidden = service !== ""; // only the whole server stands still
  call("GET");
});

// Somebody else may move it, and more happens.
const happens = new EventSource("/dev/events?after=0");
for (const kind of kinds) {
  happens.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
}
for (const kind of ["clock", "restored"]) {
  happens.addEventListener(kind, () => call("GET"));
}
happens.onopen = () => call("GET");
setInterval(tick, 1000);
