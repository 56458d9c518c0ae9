// Opens and closes <dialog> elements; a click on the backdrop closes.
import { on } from "./dom.js";

export function startDialogs() {
  on("click", "[data-dialog-open]", (event, control) => {
    const dialog = document.getElementById(control.dataset.dialogOpen);
    if (!dialog || dialog.open) return;
    event.preventDefault();
    dialog.showModal();
  });
  on("click", "[data-dialog-close]", (event, control) => control.closest("dialog")?.close());
  document.addEventListener("click", (event) => {
    if (event.target instanceof HTMLDialogElement && event.target.matches(".drawer, .palette, [data-light-dismiss]")) event.target.close();
  });
  document.querySelectorAll("[data-shortcut-label]").forEach((label) => {
    if (/Mac|iPhone|iPad/.test(navigator.platform)) label.textContent = "⌘ K";
  });
}
