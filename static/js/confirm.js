// Asks before what cannot be undone. The control carries the words; the page holds one dialog.
import { on } from "./dom.js";

const confirmed = new WeakSet();
const part = (id) => document.getElementById(`confirm${id}`);

function ask(control, proceed) {
  const dialog = document.getElementById("confirm");
  if (!dialog) return proceed();
  const { confirm, confirmBody, confirmAction, confirmType } = control.dataset;
  part("-title").textContent = confirm;
  part("-body").textContent = confirmBody ?? "";
  const go = part("-go");
  go.textContent = confirmAction ?? "Continue";
  const danger = "confirmDanger" in control.dataset;
  go.classList.toggle("btn-danger", danger);
  go.classList.toggle("btn-primary", !danger);
  part("-typed").hidden = !confirmType;
  part("-expected").textContent = confirmType ?? "";
  const word = part("-word");
  word.value = "";
  const check = () => { go.disabled = Boolean(confirmType) && word.value.trim() !== confirmType; };
  word.oninput = check;
  check();
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue === "go" && proceed();
  dialog.showModal();
}

export function startConfirm() {
  on("click", "[data-confirm]:is(button, a):not([hx-get],[hx-post],[hx-delete],[hx-put],[hx-patch])", (event, control) => {
    if (confirmed.delete(control)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(control, () => { confirmed.add(control); control.click(); });
  }, true);
  on("submit", "form[data-confirm]:not([hx-post])", (event, form) => {
    if (confirmed.delete(form)) return;
    event.preventDefault();
    const submitter = event.submitter;
    ask(form, () => { confirmed.add(form); form.requestSubmit(submitter); });
  }, true);
  document.body.addEventListener("htmx:confirm", (event) => {
    const control = event.detail.elt.closest("[data-confirm]");
    if (!control) return;
    event.preventDefault();
    ask(control, () => event.detail.issueRequest(true));
  });
}
