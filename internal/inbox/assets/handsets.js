// The page of the simulated handsets: what each one shows, and a button for each answer.
import { announce, byId, copyButton, h, relative, refreshTimes, stateChip } from "./dom.js";

const period = 2000; // an application that asks for its challenges is not told of them

let drawn = "";

async function call(method, path, form) {
  const answer = await fetch(`/dev/inbox/handsets${path}`, { method, body: form && new URLSearchParams(form) });
  const text = await answer.text();
  const body = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Error(body?.message ?? `The server answered ${answer.status}`);
  return body;
}

function complain(error) {
  const problem = byId("problem");
  problem.hidden = !error;
  problem.textContent = error?.message ?? "";
}

// act does what a button is for, and shows what has become of it.
async function act(work, word) {
  try {
    await work();
    complain(null);
    announce(word);
  } catch (error) {
    complain(error);
  }
  await load();
}

async function load() {
  let list;
  try {
    list = (await call("GET", "?format=json")).handsets;
  } catch {
    return; // the server is away; the next turn may find it
  }
  const now = JSON.stringify(list);
  if (now === drawn) return;
  drawn = now;
  byId("list").replaceChildren(...list.map(phone));
  byId("none").hidden = list.length > 0;
}

function phone(set) {
  return h("article", { class: "handset", "aria-label": `${set.friendly_name} of ${set.identity}` },
    h("header", {},
      h("h2", {}, set.friendly_name),
      h("p", {}, `${set.identity} · ${set.platform}`),
      h("p", { class: "sid" }, set.factor_sid, copyButton(set.factor_sid, { class: "quiet", name: "Copy the factor SID" }))),
    set.gone ? h("p", { class: "gone" }, "Its factor was deleted.") : null,
    set.challenges.length || set.gone ? null : h("p", { class: "idle" }, "Nothing to answer"),
    set.challenges.map((c) => question(set, c)),
    h("footer", {}, h("button", {
      class: "button remove", type: "button",
      onclick: () => act(() => call("DELETE", `/${set.factor_sid}`), "Removed"),
    }, "Remove")));
}

function question(set, c) {
  const waits = c.status === "pending";
  const answer = (word) => act(() => call("POST", `/${set.factor_sid}/challenges/${c.sid}`, { answer: word }), word === "approve" ? "Approved" : "Denied");
  return h("section", { class: "question", "data-status": c.status, "data-sid": c.sid },
    h("p", { class: "message", dir: "auto" }, c.message),
    c.fields.length ? h("dl", {}, c.fields.map((f) => h("div", {}, h("dt", { dir: "auto" }, f.label), h("dd", { dir: "auto" }, f.value)))) : null,
    c.hidden_details ? h("details", {}, h("summary", {}, "Hidden details"),
      h("dl", {}, Object.entries(c.hidden_details).map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))))) : null,
    waits ? h("div", { class: "choices" },
      h("button", { class: "button deny", type: "button", onclick: () => answer("deny") }, "Deny"),
      h("button", { class: "button approve", type: "button", onclick: () => answer("approve") }, "Approve"))
      : stateChip(c.status),
    waits ? h("p", { class: "fate" }, relative(c.expires_at, "expiry")) : null);
}

byId("register").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  act(async () => {
    await call("POST", "", form);
    byId("name").value = "";
  }, "Registered");
});

new EventSource("/dev/inbox/events?channel=push").addEventListener("message", load);
setInterval(() => {
  refreshTimes();
  if (!document.hidden) load();
}, period);
load();
