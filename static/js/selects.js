// Searchable choices for <select data-search>.
import TomSelect from "tom-select";
import { whenAdded } from "./dom.js";

export function startSelects() {
  whenAdded("select[data-search]:not(.tomselected)", (select) => {
    new TomSelect(select, { maxOptions: 200, plugins: select.multiple ? ["remove_button"] : [] });
  });
}
