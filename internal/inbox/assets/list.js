// The list: one row for each message, made once and kept, so that the focus, the scroll position
// and a row's entrance survive whatever arrives above it.
import { byId, channelNames, grouped, h, icon, relative, setState, stateChip } from "./dom.js";

// More rows than anybody scrolls through; search finds the rest.
const shown = 500;

const rows = new Map(); // by SID

function makeRow(m, arrived) {
  const chip = stateChip(m.verification_status);
  const link = h("a", { class: "row", href: `#${m.sid}` },
    h("span", { class: "tile", "data-channel": m.channel }, icon(m.channel in channelNames ? m.channel : "inbox")),
    h("span", { class: "line" },
      h("span", { class: "row-to" }, h("span", { class: "unseen" }, `${channelNames[m.channel] ?? m.channel} to `), m.to),
      relative(m.created_at, "age")),
    h("span", { class: "line" },
      h("span", { class: "row-what" },
        m.code ? h("b", { class: "row-code" }, grouped(m.code)) : null,
        m.brand ?? m.subject ?? m.text ?? ""),
      chip));
  const item = h("li", { class: arrived ? "arrived" : null }, link);
  return { item, link, chip };
}

export function forget(sid) {
  rows.delete(sid);
}

export function forgetAll() {
  rows.clear();
}

export function setRowStatus(sid, status) {
  const row = rows.get(sid);
  if (row) setState(row.chip, status);
}

// renderList shows the messages given, the newest first. Rows of messages in arrived come in visibly.
export function renderList(messages, { current, arrived }) {
  const list = byId("rows");
  const wanted = messages.slice(0, shown).map((m) => {
    let row = rows.get(m.sid);
    if (!row) rows.set(m.sid, row = makeRow(m, arrived.has(m.sid)));
    if (m.sid === current) row.link.setAttribute("aria-current", "true");
    else row.link.removeAttribute("aria-current");
    return row.item;
  });

  const keep = new Set(wanted);
  for (const item of [...list.children]) if (!keep.has(item)) item.remove();
  let cursor = list.firstChild;
  for (const item of wanted) {
    if (item === cursor) cursor = cursor.nextSibling;
    else list.insertBefore(item, cursor);
  }

  const older = byId("older");
  older.hidden = messages.length <= shown;
  older.textContent = `${messages.length - shown} older ones are not listed. Search for their destination.`;
}

export function showRow(sid, { focus = false } = {}) {
  const link = rows.get(sid)?.link;
  if (!link) return;
  link.scrollIntoView({ block: "nearest" });
  if (focus) link.focus({ preventScroll: true });
}
