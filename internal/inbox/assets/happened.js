// What happens in verifyd dev, as /dev/events tells it: the latest below the clock, the newest first.
import { byId, h } from "./dom.js";

const shown = 30;
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const face = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

// What each kind of event says in a line; one that is not here has nothing to say to people.
const lines = {
  verification: (e) => [e.status, e.to],
  attempt: (e) => [e.state, `${e.channel} to ${e.to}`],
  message: (e) => ["arrived", `${e.channel} to ${e.to}`],
  factor: (e) => [e.status, `${e.factor_type} of ${e.identity}`],
  challenge: (e) => [e.status, e.identity],
  webhook: (e) => [e.state, e.event_type],
  expired: (e) => ["", e.sid],
  clock: (e) => [e.frozen ? "stands still" : "runs", day.format(new Date(e.now))],
  reset: () => ["", "everything is as at the start"],
  restored: (e) => ["", `the snapshot ${e.name}`],
};

export const kinds = Object.keys(lines);

export function tell(kind, event) {
  const list = byId("happened");
  const [state, about] = lines[kind](event);
  list.prepend(h("li", {},
    h("time", { datetime: event.at }, face.format(new Date(event.at))),
    h("span", { class: "what" }, h("b", {}, kind), state ? ` ${state.replaceAll("_", " ")}` : "", h("small", {}, about))));
  while (list.children.length > shown) list.lastChild.remove();
  byId("happened-head").hidden = false;
}
