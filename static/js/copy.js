import { announce, on } from "./dom.js";

export function startCopy() {
  on("click", "[data-copy]", async (event, control) => {
    event.preventDefault();
    await navigator.clipboard.writeText(control.dataset.copy);
    control.classList.add("is-copied");
    announce("Copied");
    window.setTimeout(() => control.classList.remove("is-copied"), 1500);
  });
}
