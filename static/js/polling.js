// Blocks marked data-poll refresh by htmx; hidden tabs and blocks someone is reading with the keyboard are left alone.
export function startPolling() {
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const block = event.detail.elt;
    if (!block.matches?.("[data-poll]")) return;
    if (document.hidden || block.contains(document.activeElement)) event.preventDefault();
  });
}
