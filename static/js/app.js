import "@tabler/core";
import htmx from "htmx.org";
import Alpine from "@alpinejs/csp";

window.htmx = htmx;
window.Alpine = Alpine;
Alpine.start();
