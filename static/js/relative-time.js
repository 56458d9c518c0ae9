// Keeps "2 min ago" true while the page stays open; same words as apps.ui.formatting.relative_text.
function text(seconds) {
  const size = Math.abs(seconds);
  if (size < 45) return seconds >= 0 ? "just now" : "in a moment";
  const days = Math.round(size / 86400);
  const unit = size < 3600 ? `${Math.max(1, Math.round(size / 60))} min` : size < 86400 ? `${Math.round(size / 3600)} h` : days === 1 ? "1 day" : `${days} days`;
  return seconds > 0 ? `${unit} ago` : `in ${unit}`;
}

export function startRelativeTime() {
  const opened = Date.now();
  window.setInterval(() => {
    if (document.hidden || Date.now() - opened < 30000) return;
    document.querySelectorAll("time[data-relative]").forEach((element) => {
      const next = text((Date.now() - Date.parse(element.dateTime)) / 1000);
      if (element.textContent !== next) element.textContent = next;
    });
  }, 30000);
}
