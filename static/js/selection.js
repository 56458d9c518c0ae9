// Rows chosen for a bulk action. The bar always says the exact count; "all matching" sends select_all=1 with the filters.
import { announce, on } from "./dom.js";

const checks = () => [...document.querySelectorAll(".row-check")];

function show(bar, text, everything) {
  bar.querySelector("[data-selection-count]").textContent = text;
  bar.dataset.everything = everything ? "1" : "";
  bar.querySelectorAll("input[name=select_all]").forEach((field) => { field.value = everything ? "1" : ""; });
  announce(text);
}

function refresh() {
  const bar = document.querySelector("[data-selection]");
  if (!bar) return;
  const all = checks();
  const chosen = all.filter((check) => check.checked);
  bar.hidden = chosen.length === 0;
  const head = document.querySelector("[data-check-all]");
  if (head) {
    head.checked = chosen.length > 0 && chosen.length === all.length;
    head.indeterminate = chosen.length > 0 && chosen.length < all.length;
  }
  show(bar, `${chosen.length} selected`, false);
}

export function startSelection() {
  on("change", ".row-check", refresh);
  on("change", "[data-check-all]", (event, head) => { checks().forEach((check) => { check.checked = head.checked; }); refresh(); });
  on("click", "[data-selection-clear]", () => { checks().forEach((check) => { check.checked = false; }); refresh(); });
  on("click", "[data-select-matching]", (event, button) => {
    const total = Number(button.dataset.total).toLocaleString(document.documentElement.lang);
    show(button.closest("[data-selection]"), `All ${total} matching selected`, true);
  });
  document.body.addEventListener("htmx:afterSwap", refresh);
}
