// A field marked data-shown-if="name=value" is shown only while the form's control of that name has the value.
import { on, whenAdded } from "./dom.js";

function apply(control) {
  const [name, value] = control.dataset.shownIf.split("=");
  const decides = control.form?.elements.namedItem(name);
  const field = control.closest(".field, .check");
  if (decides && field) field.hidden = decides.value !== value;
}

export function startShownIf() {
  whenAdded("[data-shown-if]", apply);
  on("change", "form select, form input[type=radio]", (event, changed) => {
    changed.form.querySelectorAll("[data-shown-if]").forEach(apply);
  });
}
