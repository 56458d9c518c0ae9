// Keeps chips, the "all" count and the address honest after a filter changed; empty parameters stay out of the address.
import { announce, whenAdded } from "./dom.js";

// A view is saved with the filters of now, not with those the page came with.
function keepAddress() {
  const asked = new URLSearchParams(window.location.search);
  for (const name of ["cursor", "format"]) asked.delete(name);
  const query = asked.toString();
  document.querySelectorAll("#list-views [name=query]").forEach((field) => { field.value = query; });
  document.querySelectorAll("#list-views [name=next], #list-columns [name=next]").forEach((field) => {
    field.value = window.location.pathname + (query ? `?${query}` : "");
  });
}

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
      const days = [...menu.querySelectorAll("input[type=date]")].filter((input) => input.value);
      const labels = days.length
        ? [days.map((input) => `${input.parentElement.textContent.trim().toLowerCase()} ${input.value}`).join(" ")]
        : [...menu.querySelectorAll("input:checked")].map((input) => input.parentElement.textContent.trim());
      chip.querySelector("strong")?.remove();
      chip.classList.toggle("is-set", labels.length > 0);
      if (labels.length) {
        const value = document.createElement("strong");
        value.textContent = labels.length > 2 ? `${labels[0]} +${labels.length - 1}` : labels.join(", ");
        chip.append(value);
      }
      // htmx listens for one menu only ("from:find" is the first); this event says that any of them changed.
      menu.closest("form").dispatchEvent(new Event("filter"));
    });
  });
  document.body.addEventListener("htmx:pushedIntoHistory", keepAddress);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const count = event.detail.target.querySelector?.(".list-bar > .num");
    if (count) announce(count.textContent);
  });
}
