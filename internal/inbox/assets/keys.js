// The keyboard, the dialogs and the choice of colours.
import { byId, icon } from "./dom.js";

const typing = (target) => target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");

// bindKeys calls next, previous, copy and back of actions; search is the search field.
export function bindKeys(search, actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return; // a dialog closes on Esc by itself
    const handler = typing(event.target) ? inSearch[event.key] : anywhere[event.key];
    if (handler && handler(event) !== false) event.preventDefault();
  });

  const inSearch = {
    ArrowDown: () => actions.next(),
    ArrowUp: () => actions.previous(),
    Enter: () => actions.focusCurrent(),
    Escape: () => {
      actions.clearSearch();
      search.blur();
    },
  };
  const anywhere = {
    j: () => actions.next(),
    ArrowDown: () => actions.next(),
    k: () => actions.previous(),
    ArrowUp: () => actions.previous(),
    c: () => actions.copy(),
    "/": () => {
      search.focus();
      search.select();
    },
    "?": () => byId("help").showModal(),
    Escape: () => actions.back(),
  };
}

export function bindDialogs() {
  byId("keys").addEventListener("click", () => byId("help").showModal());
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      // A click on the backdrop is a click on the dialog itself, outside of all its contents.
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
}

const themes = ["auto", "light", "dark"];
const themeIcons = { auto: "auto", light: "sun", dark: "moon" };

export function bindTheme() {
  const button = byId("theme");
  const root = document.documentElement;
  const current = () => root.dataset.theme ?? "auto";
  const label = () => {
    const text = `Colours: ${current()}`;
    button.setAttribute("aria-label", text);
    button.title = text;
    button.replaceChildren(icon(themeIcons[current()]));
  };
  button.addEventListener("click", () => {
    const theme = themes[(themes.indexOf(current()) + 1) % themes.length];
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      localStorage.setItem("verifyd-theme", theme);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    label();
  });
  label();
}

// bindClear asks before it calls clear; count is the number of messages at stake.
export function bindClear(count, clear) {
  const dialog = byId("confirm");
  byId("clear").addEventListener("click", () => {
    const n = count();
    byId("confirm-text").replaceChildren(
      n === 1 ? "The message goes for good." : `All ${n} messages go for good.`,
      " Verifications are not touched.");
    dialog.showModal();
  });
  byId("confirm-clear").addEventListener("click", () => {
    dialog.close();
    clear();
  });
}
