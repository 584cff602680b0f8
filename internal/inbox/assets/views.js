// A message as the person has it, one function for each channel.
import { atClock, absolute, copyButton, h, icon, marked } from "./dom.js";

export function asSeen(m) {
  return (views[m.channel] ?? views.sms)(m);
}

const views = { sms, call, email, whatsapp, rcs, push };

// words carries the language of the message, for hyphens, fonts and screen readers, and lets the
// text choose its direction.
const words = (m, properties, ...children) => h("p", { dir: "auto", lang: m.locale, ...properties }, ...children);

const initial = (name) => h("span", { class: "avatar", "aria-hidden": "true" }, [...name][0]?.toUpperCase() ?? "");

function sms(m) {
  const sender = m.from ?? m.brand ?? "Unknown sender";
  return h("div", { class: "phone sms" },
    h("p", { class: "contact" }, initial(sender), h("span", {}, sender)),
    h("p", { class: "day" }, "Text message · ", h("b", {}, atClock(m.created_at))),
    words(m, { class: "bubble" }, marked(m.text, m.code)));
}

function whatsapp(m) {
  const brand = m.brand ?? m.from ?? "Business";
  return h("div", { class: "phone whatsapp" },
    h("p", { class: "contact" }, initial(brand), h("span", {}, brand, h("small", {}, "Business account"))),
    h("div", { class: "bubble" },
      words(m, {}, marked(m.text, m.code)),
      h("span", { class: "stamp" }, atClock(m.created_at)),
      m.code ? copyButton(m.code, { class: "action", label: "Copy code" }) : null));
}

function rcs(m) {
  const brand = m.brand ?? m.from ?? "Business";
  return h("div", { class: "phone rcs" },
    h("p", { class: "contact" }, initial(brand), h("span", {}, brand, icon("verified"))),
    h("p", { class: "day" }, "RCS · ", h("b", {}, atClock(m.created_at))),
    words(m, { class: "bubble" }, marked(m.text, m.code)));
}

// push is what stands on the locked screen.
function push(m) {
  const p = m.push ?? { title: m.brand, body: m.text };
  return h("div", { class: "phone push" },
    h("p", { class: "contact" }, initial(p.title ?? "App"), h("span", {}, p.title ?? "App", h("small", {}, p.app ?? ""))),
    h("p", { class: "day" }, "Notification · ", h("b", {}, atClock(m.created_at))),
    words(m, { class: "bubble" }, p.body ?? ""),
    h("p", { class: "answer" }, h("a", { class: "button", href: "/dev/inbox/handsets" }, "Answer on the handset")));
}

// call is the score of what is heard.
function call(m) {
  const speech = m.speech ?? { parts: [{ say: m.text ?? "" }], repeat: 1 };
  const parts = speech.parts ?? [];
  return h("div", { class: "phone call" },
    h("p", { class: "contact" }, h("span", { class: "avatar", "aria-hidden": "true" }, icon("call")),
      h("span", {}, m.from ?? m.brand ?? "Unknown caller", h("small", {}, "Incoming call · ", atClock(m.created_at)))),
    speech.press_key ? h("div", { class: "wait" }, icon("keypad"),
      h("p", { lang: speech.language, dir: "auto" }, speech.press_key_prompt || "Press any key"),
      h("small", {}, "waits for any key")) : null,
    h("ol", { class: "score" }, parts.map((part) => spoken(part, speech.language))),
    speech.repeat > 1 ? h("p", { class: "repeat" }, icon("again"), `Spoken ${speech.repeat} times`) : null);
}

function spoken(part, lang) {
  if (part.digits) {
    return h("li", { class: "digits", "aria-label": `Digits ${[...part.digits].join(" ")}` },
      [...part.digits].map((digit) => h("span", {}, digit)));
  }
  if (part.pause_ms) return h("li", { class: "pause" }, `${part.pause_ms / 1000} s`);
  return h("li", { class: "say" }, icon("say"), h("p", { lang, dir: "auto" }, part.say ?? ""));
}

function email(m) {
  const name = m.from_name ?? m.brand ?? m.from ?? "Unknown sender";
  return h("div", { class: "mail" },
    h("header", {},
      h("h3", { dir: "auto" }, m.subject ?? "(no subject)"),
      initial(name),
      h("p", { class: "sender" }, h("b", {}, name), m.from && m.from !== name ? ` ${m.from}` : null,
        h("small", {}, `to ${m.to}`)),
      h("small", { class: "clock" }, absolute(m.created_at))),
    bodies(m));
}

// bodies are the two of an e-mail. Its HTML is a document of its own, without scripts and without
// an origin, and cannot reach this page.
function bodies(m) {
  const text = words(m, { class: "plain" }, marked(m.text, m.code));
  if (!m.html) return text;
  const panels = {
    HTML: () => h("iframe", { class: "paper", sandbox: "", src: `/dev/inbox/messages/${m.sid}/html`, title: "The e-mail's HTML" }),
    Text: () => text,
  };
  const panel = h("div", { id: "body", role: "tabpanel" });
  const tabs = Object.keys(panels).map((name) => h("button", {
    type: "button", role: "tab", id: `tab-${name.toLowerCase()}`, "aria-controls": "body", onclick: () => choose(name),
  }, name));
  function choose(name) {
    for (const tab of tabs) {
      const selected = tab.textContent === name;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      if (selected) panel.setAttribute("aria-labelledby", tab.id);
    }
    panel.replaceChildren(panels[name]());
  }
  choose("HTML");
  return [h("div", {
    class: "tabs", role: "tablist", "aria-label": "Bodies",
    onkeydown: (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = tabs.find((tab) => tab.getAttribute("aria-selected") === "false");
      choose(other.textContent);
      other.focus();
    },
  }, tabs), panel];
}
