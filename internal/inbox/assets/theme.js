// Runs before the first paint, or the page would flash in the wrong colours. Without a choice the
// system decides.
try {
  const theme = localStorage.getItem("verifyd-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system decides.
}
