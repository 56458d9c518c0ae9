// Live preview of a brand: a field with data-preview-var sets that custom property on every [data-preview] element,
// data-preview-text copies its text there. Setting properties from script is what the content policy allows.
import { on } from "./dom.js";

const readable = (hex) => {
  const channel = (at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.0558 ? "#ffffff" : "#111827";
};

export function startPreview() {
  on("input", "[data-preview-var]", (event, field) => {
    document.querySelectorAll("[data-preview]").forEach((box) => {
      box.style.setProperty(field.dataset.previewVar, field.value);
      if (field.dataset.previewVar === "--tblr-primary") {
        box.style.setProperty("--tblr-primary-fg", readable(field.value));
        box.style.setProperty("--tblr-link-color", field.value);
      }
    });
  });
  on("input", "[data-preview-text]", (event, field) => {
    document.querySelectorAll(field.dataset.previewText).forEach((box) => { box.textContent = field.value; });
  });
}
