// The clock of verifyd dev: what it shows, and the buttons that move it. The page's own times follow it.
import { absolute, announce, byId, now, setNow } from "./dom.js";

const face = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
let frozen = false;
let ahead = 0; // of the browser's clock, while it runs
let still = 0; // the time, while it does not

// words is a span of time for people, in its largest unit or two.
function words(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 60000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  return hours ? (minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`) : `${minutes} min`;
}

function show(state) {
  frozen = state.frozen;
  still = Date.parse(state.now);
  ahead = still - Date.now();
  setNow(() => (frozen ? still : Date.now() + ahead));
  byId("clock").dataset.frozen = frozen;
  byId("clock-hold").textContent = frozen ? "Resume" : "Freeze";
  if (state.next !== undefined) {
    byId("clock-next").textContent = state.next ? `Next: ${absolute(state.next)}` : "Nothing is due.";
    byId("clock-run").disabled = !state.next;
  }
  tick();
}

function tick() {
  const shift = now() - Date.now();
  const shifted = Math.abs(shift) >= 60000;
  const element = byId("clock-now");
  element.dateTime = new Date(now()).toISOString();
  element.textContent = face.format(now());
  byId("clock-state").textContent = frozen ? "frozen" : "running";
  byId("clock-shift").textContent = shifted ? `${shift < 0 ? "\u2212" : "+"}${words(shift)}` : frozen ? "frozen" : "";
}

async function call(method, move) {
  const trouble = byId("clock-trouble");
  try {
    const answer = await fetch(`/dev/clock${move ? `?${move}` : ""}`, { method });
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
byId("clock-panel").addEventListener("toggle", (event) => event.newState === "open" && call("GET"));

// Somebody else may move it.
const moves = new EventSource("/dev/events?type=clock");
moves.addEventListener("clock", (event) => show({ ...JSON.parse(event.data), next: undefined }));
moves.onopen = () => call("GET");
setInterval(tick, 1000);
