// Light or dark: the choice is a cookie, so the server renders the right mode and nothing flashes.
import { on } from "./dom.js";

const root = document.documentElement;
const system = window.matchMedia("(prefers-color-scheme: dark)");

function show(theme) {
  root.dataset.bsTheme = theme;
  document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
}

export function startTheme() {
  if ("themeFollowsSystem" in root.dataset) {
    if (system.matches) show("dark");
    system.addEventListener("change", (event) => "themeFollowsSystem" in root.dataset && show(event.matches ? "dark" : "light"));
  }
  on("click", "[data-theme-toggle]", () => {
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    delete root.dataset.themeFollowsSystem;
    const secure = window.location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
    show(theme);
  });
}
