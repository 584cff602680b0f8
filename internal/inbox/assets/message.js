// One message in full: who, when, the code, the message as the person has it, and the facts.
import {
  absolute, byId, channelNames, copyButton, grouped, h, icon, relative, setState, stateChip,
} from "./dom.js";
import { asSeen } from "./views.js";

let shown = null;

// renderMessage leaves a message that is already there alone: an e-mail would load again, and a
// selection would be lost.
export function renderMessage(detail, m, { newest }) {
  if (shown?.sid !== m.sid || !detail.firstChild) {
    shown = m;
    detail.replaceChildren(article(m));
    detail.scrollTop = 0;
  }
  byId("newest").hidden = !newest;
}

export function renderGone(detail) {
  shown = null;
  detail.replaceChildren(h("div", { class: "gone" },
    backButton(),
    h("h2", {}, "This message is gone"),
    h("p", {}, "The inbox was cleared, or the server started anew, since the link was made.")));
}

export function setDetailStatus(m) {
  if (shown?.sid !== m.sid) return;
  shown = m;
  setState(byId("state"), m.verification_status);
  byId("expiry")?.toggleAttribute("hidden", !expires(m));
}

export function copyCode() {
  byId("copy-code")?.click();
}

const expires = (m) => m.expires_at && (m.verification_status ?? "pending") === "pending";

function backButton() {
  return h("button", {
    class: "button back", type: "button",
    onclick: (event) => event.target.dispatchEvent(new CustomEvent("back", { bubbles: true })),
  }, icon("back"), "Inbox");
}

function article(m) {
  const chip = stateChip(m.verification_status);
  chip.id = "state";
  return h("article", { class: "message", "aria-labelledby": "to" },
    h("header", { class: "masthead" },
      backButton(),
      h("div", { class: "who" },
        h("p", { class: "kicker" },
          h("span", { class: "channel", "data-channel": m.channel },
            icon(m.channel in channelNames ? m.channel : "inbox"), channelNames[m.channel] ?? m.channel),
          relative(m.created_at, "ago"),
          h("span", { class: "clock" }, absolute(m.created_at)),
          h("span", { id: "newest", class: "newest", title: "The next message will take its place" }, "Newest")),
        h("h2", { id: "to" }, m.to, copyButton(m.to, { class: "quiet", name: "Copy the destination" })),
        h("p", { class: "fate" }, chip,
          m.expires_at ? h("span", { id: "expiry", hidden: !expires(m) }, relative(m.expires_at, "expiry")) : null)),
      codeBox(m)),
    h("div", { class: "columns" },
      h("section", { class: "stage", "data-channel": m.channel, "aria-label": `The ${channelNames[m.channel] ?? "message"} as it is received` }, asSeen(m)),
      facts(m)));
}

function codeBox(m) {
  if (!m.code) return null;
  const copy = copyButton(m.code, { label: "Copy", name: "Copy the code (c)", keys: "c", children: [h("kbd", { "aria-hidden": "true" }, "c")] });
  copy.id = "copy-code";
  return h("div", { class: "code-box" },
    h("p", { class: "code", "aria-label": `Code ${[...m.code].join(" ")}` }, grouped(m.code)), copy);
}

// facts are what the person does not see.
function facts(m) {
  const template = m.template && `${m.template.name} · ${m.template.language}`;
  const speech = m.speech && [m.speech.language, m.speech.voice].filter(Boolean).join(" · ");
  return h("aside", { class: "facts", "aria-label": "Details" },
    h("dl", {},
      sid("Verification", m.verification_sid),
      sid("Challenge", m.push?.data?.challenge_sid),
      fact("Platform", m.push?.platform),
      sid(m.push ? "Notification" : "Attempt", m.attempt_sid),
      sid("Message", m.sid),
      fact("Sender", m.from),
      fact("Locale", m.locale),
      fact("Template", template),
      fact("Voice", speech),
      fact("Dialled after the answer", m.speech?.send_digits),
      fact("Size", size(m)),
      fact("Sent", m.created_at)),
    rules(m),
    h("h3", {}, "From a test"),
    h("div", { class: "curl" },
      h("pre", {}, h("code", {}, curl(m).split(/(?=\?)/).flatMap((part) => [h("wbr"), part]))),
      copyButton(curl(m), { class: "quiet", name: "Copy the command" })),
    h("p", { class: "links" }, h("a", { href: `/dev/inbox/messages/${m.sid}`, target: "_blank", rel: "noopener" }, icon("json"), "This message as JSON")));
}

// rules are those of verifyd dev that decided something about the message.
function rules(m) {
  if (!m.rules?.length) return null;
  return h("section", { class: "rules", "aria-labelledby": "rules-head" },
    h("h3", { id: "rules-head" }, m.rules.length === 1 ? "By the rule" : "By the rules"),
    h("ul", {}, m.rules.map(({ to, ...says }) => h("li", {},
      h("code", {}, to),
      Object.entries(says).map(([key, value]) => h("span", { class: "says" }, `${key} `, h("b", {}, value)))))));
}

function fact(name, value) {
  return value ? h("div", {}, h("dt", {}, name), h("dd", {}, value)) : null;
}

function sid(name, value) {
  return value ? h("div", {}, h("dt", {}, name), h("dd", { class: "sid" },
    h("span", { title: value }, value), copyButton(value, { class: "quiet", name: `Copy the ${name.toLowerCase()} SID` }))) : null;
}

function size(m) {
  if (!m.segments) return null;
  const encoding = { gsm7: "GSM-7", ucs2: "UCS-2" }[m.encoding] ?? m.encoding;
  return `${m.segments} ${m.segments === 1 ? "segment" : "segments"}${encoding ? `, ${encoding}` : ""}`;
}

// curl is safe to paste: encodeURIComponent leaves the quote alone, the shell does not.
function curl(m) {
  const to = encodeURIComponent(m.to).replaceAll("'", "%27");
  return `curl '${location.origin}/dev/inbox?to=${to}&wait=10s'`;
}
