// A swap target dims, or shows its skeleton, only when the answer takes longer than 200 ms.
const timers = new WeakMap();

export function startSkeletons() {
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const { target, elt } = event.detail;
    if (!target || elt.matches?.("[data-poll]")) return;
    timers.set(target, window.setTimeout(() => {
      target.classList.add("is-loading");
      target.setAttribute("aria-busy", "true");
      target.querySelectorAll("[data-skeleton]").forEach((box) => { box.hidden = false; });
    }, 200));
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { target } = event.detail;
    if (!target) return;
    window.clearTimeout(timers.get(target));
    target.classList.remove("is-loading");
    target.removeAttribute("aria-busy");
  });
}
