// Notices leave after six seconds, unless they tell of a failure or someone is on them.
import { on, whenAdded } from "./dom.js";

function leave(note) {
  note.classList.add("is-leaving");
  window.setTimeout(() => note.remove(), 200);
}

function add(text, tone) {
  const region = document.getElementById("toasts");
  const note = document.createElement("div");
  note.className = `toast-note tone-${tone}`;
  note.dataset.toast = "";
  if (tone === "failing") note.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = text;
  note.append(line);
  region.append(note);
  watch(note);
}

function watch(note) {
  if (note.getAttribute("role") === "alert") return;
  const timer = window.setInterval(() => {
    if (note.matches(":hover, :focus-within")) return;
    window.clearInterval(timer);
    leave(note);
  }, 6000);
}

export function startToasts() {
  on("click", "[data-toast-close]", (event, button) => leave(button.closest("[data-toast]")));
  whenAdded("[data-toast]", watch);
  document.body.addEventListener("htmx:responseError", (event) => {
    const id = event.detail.xhr.getResponseHeader("X-Request-Id");
    add(`That did not work; nothing was changed.${id ? ` Quote ${id} when you ask for help.` : ""}`, "failing");
  });
  document.body.addEventListener("htmx:sendError", () => add("The server did not answer. Check the connection and try again.", "failing"));
}
