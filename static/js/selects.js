// Searchable choices for <select data-search>.
import TomSelect from "tom-select";
import { whenAdded } from "./dom.js";

export function startSelects() {
  whenAdded("select[data-search]:not(.tomselected)", (select) => {
    // The label moves to the search box; the select behind it, which readers still meet, keeps its name.
    const name = select.labels[0]?.firstChild?.textContent.trim();
    if (name) select.setAttribute("aria-label", name);
    new TomSelect(select, { maxOptions: 200, plugins: select.multiple ? ["remove_button"] : [] });
  });
}
