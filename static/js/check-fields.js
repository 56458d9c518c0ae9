// Checks a field when it is left with another value than it was entered with; the server says what is wrong.
const controls = "input, select, textarea";
// Files are large and secrets need not travel twice.
const skipped = new Set(["file", "password", "hidden"]);

const valueOf = (field) => (field.type === "checkbox" ? String(field.checked) : field.value);

function body(form) {
  const data = new FormData(form);
  for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
  return data;
}

function show(box, field, markup) {
  box.querySelector(".field-error")?.remove();
  box.insertAdjacentHTML("beforeend", markup);
  const error = box.querySelector(".field-error");
  const described = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== `${field.id}-error`);
  if (error) described.push(error.id);
  field.toggleAttribute("aria-invalid", false);
  if (error) field.setAttribute("aria-invalid", "true");
  if (described.length) field.setAttribute("aria-describedby", described.join(" "));
  else field.removeAttribute("aria-describedby");
}

async function check(box, field) {
  const asked = valueOf(field);
  const answer = await fetch(field.form.getAttribute("action") || window.location.href, {
    method: "POST", body: body(field.form), headers: { "X-Check-Field": field.name }, credentials: "same-origin", redirect: "error",
  }).catch(() => null);
  // No answer, or another value by now: the form itself will tell when it is sent.
  if (answer?.ok && valueOf(field) === asked) show(box, field, await answer.text());
}

export function startFieldChecks() {
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches?.(controls)) target.dataset.entered = valueOf(target);
  });
  document.addEventListener("focusout", ({ target }) => {
    const box = target.matches?.(controls) && !skipped.has(target.type) ? target.closest("[data-check]") : null;
    // The search box of a searchable select has no name: it is no field of the form.
    if (!box || !target.name || !target.form || target.form.method !== "post") return;
    if (valueOf(target) !== target.dataset.entered) check(box, target);
  });
}
