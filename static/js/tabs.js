// On a phone the tabs scroll sideways: the one that is open is brought into sight.
export function startTabs() {
  document.querySelectorAll(".tab[aria-current]").forEach((tab) => tab.scrollIntoView({ block: "nearest", inline: "center" }));
}
