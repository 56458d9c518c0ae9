// Moves focus to what must be read first, such as a form's error summary.
import { whenAdded } from "./dom.js";

export function startAutofocus() {
  whenAdded("[data-autofocus]", (element) => element.focus());
}
