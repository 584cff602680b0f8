// Small tools for building the page. Everything that came with a message is user data: it enters
// the document as a text node or an attribute value, through h and nothing else.

// h makes an element. Properties that start with "on" are listeners, true is a bare attribute, and
// null, undefined and false leave one out, as they leave out a child.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

const svg = "http://www.w3.org/2000/svg";

export function icon(name) {
  const element = document.createElementNS(svg, "svg");
  element.setAttribute("class", "icon");
  element.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(svg, "use");
  use.setAttribute("href", `/dev/inbox/assets/icons.svg#${name}`);
  element.append(use);
  return element;
}

export const byId = (id) => document.getElementById(id);

export const channelNames = {
  sms: "SMS", call: "Call", email: "E-mail", whatsapp: "WhatsApp", rcs: "RCS", push: "Push",
};

const statusNames = {
  pending: "Pending", approved: "Approved", denied: "Denied", canceled: "Canceled", expired: "Expired",
  max_attempts_reached: "Max attempts", failed: "Failed", deleted: "Deleted",
};

// stateChip is empty, and unseen, while nobody knows the state.
export function stateChip(status) {
  return setState(h("span", { class: "state" }), status);
}

export function setState(chip, status) {
  chip.dataset.status = status ?? "";
  chip.title = status ?? "";
  chip.textContent = statusNames[status] ?? status ?? "";
  return chip;
}

// grouped makes a code readable without putting a space into what is copied.
export function grouped(code) {
  const half = { 4: 4, 6: 3, 8: 4, 10: 5 }[code.length] ?? code.length;
  const parts = [code.slice(0, half), code.slice(half)].filter(Boolean);
  return parts.map((part) => h("span", {}, part));
}

// marked is the text with the code set off.
export function marked(text, code) {
  if (!text || !code) return [text ?? ""];
  return text.split(code).flatMap((part, i) => (i === 0 ? [part] : [h("b", { class: "in-text" }, code), part]));
}

// now is the server's time, which clock.js may know to be another than the browser's.
export let now = () => Date.now();
export function setNow(fn) {
  now = fn;
  refreshTimes();
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const atClock = (iso) => clock.format(new Date(iso));

export function absolute(iso) {
  const date = new Date(iso);
  const time = clockSeconds.format(date);
  return date.toDateString() === new Date(now()).toDateString() ? time : `${day.format(date)}, ${time}`;
}

function span(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

// The two kinds of relative time; a clock that runs ahead of ours says "now".
const relations = {
  age(seconds) {
    return seconds < 10 ? "now" : span(seconds);
  },
  ago(seconds) {
    return seconds < 10 ? "just now" : `${span(seconds)} ago`;
  },
  expiry(seconds) {
    return seconds < 0 ? `expires in ${span(-seconds)}` : `expired ${span(seconds)} ago`;
  },
};

// relative is a <time> that refreshTimes keeps true.
export function relative(iso, relation) {
  return refresh(h("time", { datetime: iso, title: iso, "data-relation": relation }));
}

function refresh(element) {
  const seconds = (now() - new Date(element.dateTime)) / 1000;
  const text = relations[element.dataset.relation](seconds);
  if (element.textContent !== text) element.textContent = text;
  return element;
}

export function refreshTimes() {
  document.querySelectorAll("time[data-relation]").forEach(refresh);
}

export function announce(text) {
  byId("announcer").textContent = text;
}

// copyText also works where the browser withholds the clipboard: on plain http from another machine.
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "unseen", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

// copyButton says on itself that it has copied.
export function copyButton(text, { label, class: kind = "button", name, keys, children = [] }) {
  const word = h("span", {}, label);
  const button = h("button", { class: kind, type: "button", "aria-label": name, title: name, "aria-keyshortcuts": keys },
    icon("copy"), label ? word : null, children);
  button.addEventListener("click", async () => {
    await copyText(text);
    button.dataset.copied = "";
    button.querySelector("use").setAttribute("href", "/dev/inbox/assets/icons.svg#check");
    word.textContent = "Copied";
    announce("Copied");
    setTimeout(() => {
      delete button.dataset.copied;
      button.querySelector("use").setAttribute("href", "/dev/inbox/assets/icons.svg#copy");
      word.textContent = label ?? "";
    }, 1600);
  });
  return button;
}
