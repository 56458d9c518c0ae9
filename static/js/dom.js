// Small helpers shared by the modules.
export const on = (type, selector, handler, options) =>
  document.addEventListener(
    type,
    (event) => {
      const match = event.target instanceof Element ? event.target.closest(selector) : null;
      if (match) handler(event, match);
    },
    options,
  );

/** Runs now and again for whatever htmx brings in. */
export function whenAdded(selector, handler) {
  const visit = (root) => {
    if (root.matches?.(selector)) handler(root);
    root.querySelectorAll?.(selector).forEach(handler);
  };
  visit(document.body);
  document.body.addEventListener("htmx:load", (event) => visit(event.detail.elt));
}

export function announce(text) {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}

export const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox],[type=radio]), textarea, select"));

export const iconMarkup = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
};
