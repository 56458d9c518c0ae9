// Ctrl/⌘ K palette, / filter, j k rows, Enter open, x select, ? help; what a page marks with data-shortcut has a key of its own.
import { isTyping } from "./dom.js";

function move(step) {
  const rows = [...document.querySelectorAll("[data-rows] tbody tr")];
  if (!rows.length) return;
  const current = rows.findIndex((row) => row.classList.contains("is-current"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, current + step))];
  rows.forEach((row) => row.classList.toggle("is-current", row === next));
  (next.querySelector(".row-link") ?? next.querySelector("a, input"))?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function open(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => document.querySelector("tr.is-current .row-check")?.click(),
  "/": () => document.querySelector("[data-filter-input]")?.focus(),
  "?": () => open("shortcuts"),
};

// On a list the key opens the current row and goes on there.
function reach(key) {
  if (!/^[a-z]$/.test(key)) return false;
  const control = document.querySelector(`[data-shortcut="${key}"]`);
  if (control) {
    if (control.matches("a, button")) control.click();
    else control.focus();
    return true;
  }
  const link = document.querySelector("[data-desk] tr.is-current .row-link");
  if (link) window.location.assign(`${link.href}#key-${key}`);
  return Boolean(link);
}

function arrive() {
  const key = /^#key-([a-z])$/.exec(window.location.hash)?.[1];
  if (key) document.querySelector(`[data-shortcut="${key}"]`)?.focus();
}

export function startShortcuts() {
  arrive();
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open("palette");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const act = keys[event.key];
    if (!act) {
      if (reach(event.key)) event.preventDefault();
      return;
    }
    event.preventDefault();
    act();
  });
}
