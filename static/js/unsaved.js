// Warns before leaving a form marked data-guard with changes in it.
import { on } from "./dom.js";

let dirty = false;

export function startUnsavedGuard() {
  on("input", "form[data-guard]", () => { dirty = true; });
  on("change", "form[data-guard]", () => { dirty = true; });
  document.addEventListener("submit", () => { dirty = false; });
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig?.verb !== "get") dirty = false;
  });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
}
