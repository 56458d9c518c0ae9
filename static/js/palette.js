// Ctrl/⌘ K: one field that finds pages, customers, integrations, runs and actions.
// The server answers {"groups": [{"label", "items": [{"label", "url", "icon", "hint"}]}]}.
import { iconMarkup } from "./dom.js";

let asked = 0;

function item(entry, index) {
  const link = document.createElement("a");
  link.className = "palette-item";
  link.href = entry.url;
  link.id = `palette-item-${index}`;
  link.setAttribute("role", "option");
  link.setAttribute("tabindex", "-1");
  const label = document.createElement("span");
  label.textContent = entry.label;
  link.append(iconMarkup(entry.icon || "arrow-right"), label);
  if (entry.hint) {
    const hint = document.createElement("span");
    hint.className = "palette-hint";
    hint.textContent = entry.hint;
    link.append(hint);
  }
  return link;
}

function group(data, offset) {
  const box = document.createElement("div");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", data.label);
  const head = document.createElement("div");
  head.className = "palette-group";
  head.setAttribute("aria-hidden", "true");
  head.textContent = data.label;
  box.append(head, ...data.items.map((entry, index) => item(entry, offset + index)));
  return box;
}

function select(dialog, step) {
  const items = [...dialog.querySelectorAll(".palette-item")];
  const current = items.findIndex((entry) => entry.getAttribute("aria-selected") === "true");
  const next = items[(current + step + items.length) % items.length];
  items.forEach((entry) => entry.setAttribute("aria-selected", String(entry === next)));
  next?.scrollIntoView({ block: "nearest" });
  dialog.querySelector("input").setAttribute("aria-activedescendant", next?.id ?? "");
}

async function search(dialog, text) {
  const mine = ++asked;
  const results = dialog.querySelector(".palette-results");
  const address = new URL(dialog.dataset.palette, window.location.origin);
  address.searchParams.set("q", text);
  const response = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" }).catch(() => null);
  if (mine !== asked) return;
  const groups = response?.ok ? (await response.json()).groups.filter((entry) => entry.items.length) : [];
  let offset = 0;
  results.replaceChildren(...groups.map((entry) => { const box = group(entry, offset); offset += entry.items.length; return box; }));
  if (!groups.length) {
    const note = document.createElement("p");
    note.className = "palette-empty";
    note.textContent = response?.ok ? `Nothing matches “${text}”.` : "Search did not answer. Try again.";
    results.append(note);
  }
  select(dialog, 1);
}

export function startPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  let timer = 0;
  new MutationObserver(() => dialog.open && search(dialog, input.value)).observe(dialog, { attributeFilter: ["open"] });
  dialog.addEventListener("close", () => { input.value = ""; });
  input.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => search(dialog, input.value), 120);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select(dialog, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      dialog.querySelector('.palette-item[aria-selected="true"]')?.click();
    }
  });
}
