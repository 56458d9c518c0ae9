// A color well and its hex text stay equal.
import { on } from "./dom.js";

export function startColorFields() {
  on("input", "[data-color-field] input[type=color]", (event, well) => {
    well.parentElement.querySelector("[data-color-text]").value = well.value;
  });
  on("input", "[data-color-text]", (event, text) => {
    if (!/^#[0-9a-f]{6}$/i.test(text.value)) return;
    const well = text.parentElement.querySelector("input[type=color]");
    well.value = text.value.toLowerCase();
    well.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
