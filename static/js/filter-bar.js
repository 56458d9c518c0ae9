// Keeps chips, the "all" count and the address honest after a filter changed; empty parameters stay out of the address.
import { announce, whenAdded } from "./dom.js";

export function startFilterBar() {
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.matches?.("[data-filter-bar]")) return;
    for (const [key, value] of Object.entries(event.detail.parameters)) {
      if (value === "") delete event.detail.parameters[key];
    }
  });
  whenAdded("[data-filter-bar] .filter-menu", (menu) => {
    menu.addEventListener("change", () => {
      const chip = menu.parentElement.querySelector(".chip");
      const labels = [...menu.querySelectorAll("input:checked")].map((input) => input.parentElement.textContent.trim());
      chip.querySelector("strong")?.remove();
      chip.classList.toggle("is-set", labels.length > 0);
      if (!labels.length) return;
      const value = document.createElement("strong");
      value.textContent = labels.length > 2 ? `${labels[0]} +${labels.length - 1}` : labels.join(", ");
      chip.append(value);
    });
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const count = event.detail.target.querySelector?.(".list-bar > .num");
    if (count) announce(count.textContent);
  });
}
