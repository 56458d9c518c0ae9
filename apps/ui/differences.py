"""Two versions of a record, compared field by field; and data as colored JSON."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from apps.ui.formatting import date_text, exact_text, money_text, number_text
from apps.ui.status import humanize_word, is_state_word
from apps.ui.viewer import current_zone

_TOKENS = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\S*")
_SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    before: str
    after: str
    kind: Literal["added", "removed", "changed", "same"]


def compare(
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    include_unchanged: bool = False,
    said: bool = False,
    locale: str = "en",
) -> list[Change]:
    """Compare nested records by dotted path, in the order of the newer one; money and lists are compared as a whole.

    `said`: values as people say them, and not as they are stored.
    """
    text = field_text if said else _stored_text
    old, new = _flatten(before, locale, text), _flatten(after, locale, text)
    paths = [*new, *(path for path in old if path not in new)]
    changes = [Change(path, old.get(path, ""), new.get(path, ""), _kind(path, old, new)) for path in paths]
    return [change for change in changes if include_unchanged or change.kind != "same"]


def _kind(path: str, old: dict[str, str], new: dict[str, str]) -> Literal["added", "removed", "changed", "same"]:
    if path not in old:
        return "added"
    if path not in new:
        return "removed"
    return "same" if old[path] == new[path] else "changed"


def _flatten(
    value: dict[str, Any], locale: str, text: Callable[[str, Any, str], str], prefix: str = ""
) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, item in value.items():
        path = f"{prefix}{key}"
        if isinstance(item, dict) and item and not is_money(item):
            flat |= _flatten(item, locale, text, f"{path}.")
        else:
            flat[path] = text(key, item, locale)
    return flat


def is_money(value: object) -> bool:
    """Canonical money, in minor units."""
    return isinstance(value, dict) and set(value) == {"amount", "currency"} and isinstance(value["amount"], int)


def plain_text(value: Any, locale: str = "en") -> str:
    """A value in one line, as people read it; a position of a document with its quantity and amount."""
    if is_money(value):
        return money_text(value["amount"], str(value["currency"]), locale)
    if isinstance(value, list):
        return "; ".join(_position(item, locale) for item in value)
    if isinstance(value, dict) and value:
        return _told(value, locale)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def said_text(value: str, locale: str = "en") -> str:
    """A stored word or date of the vocabulary as people say it: "Part paid", "27 Oct 2026"; other text as it is."""
    if _DATE.fullmatch(value):
        try:
            return date_text(date.fromisoformat(value), locale)
        except ValueError:
            return value
    return humanize_word(value) if is_state_word(value) else value


def field_text(name: str, value: Any, locale: str = "en") -> str:
    """A field as people read it: hours instead of seconds, stored words and dates said, moments in the person's zone."""
    if isinstance(value, int) and not isinstance(value, bool) and name.lower().endswith(_SECONDS):
        return f"{number_text(round(value / 3600, 2), locale=locale)} h"
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return _moment_text(value, locale)
    return said_text(value, locale) if isinstance(value, str) else plain_text(value, locale)


def _moment_text(value: str, locale: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return exact_text(known, current_zone(), locale)


def _stored_text(_name: str, value: Any, locale: str) -> str:
    return plain_text(value, locale)


def field_name(name: str) -> str:
    """Of a field whose value is said by `field_text`: `duration_seconds` is a duration, in hours."""
    label = _label(name.removeprefix("x_"))
    return label.removesuffix(f" {_SECONDS}") if label.lower() != _SECONDS else label


def _position(item: Any, locale: str) -> str:
    """Of a document, ours or a system's: “Travel · 2 × €40.00 · €80.00”."""
    if not isinstance(item, dict) or is_money(item):
        return plain_text(item, locale)
    if not {"description", "amount"} <= set(item):
        return _told(item, locale)
    times = f"{item.get('quantity', 1)} × {plain_text(item['unit_price'], locale)}" if item.get("unit_price") else ""
    said = [str(item["description"] or "–"), *([times] if times else []), plain_text(item["amount"], locale)]
    return " · ".join(said)


_CALLED = ("description", "name", "label", "memo")


def _told(item: dict[str, Any], locale: str) -> str:
    """A system's own row: “Travel · Unit amount: 40.0”, what it is called first; what is empty is left out."""
    known = {name: plain_text(value, locale) for name, value in item.items() if value not in (None, "", [], {})}
    called = next((name for name in known if name.lower() in _CALLED), "")
    told = [known[called]] if called else []
    told += [f"{_label(name)}: {text}" for name, text in known.items() if name != called]
    return " · ".join(told) or "–"


def _label(name: str) -> str:
    """`UnitAmount`, `unit_amount` and `unitAmount` as words."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").strip()
    return words[:1].upper() + words[1:].lower() if not words.isupper() else words


def json_text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def color_json(text: str) -> SafeString:
    """Wrap the tokens of JSON text in classes; everything is escaped."""
    parts: list[str] = []
    position = 0
    for match in _TOKENS.finditer(text):
        parts += [escape(text[position : match.start()]), _token(match)]
        position = match.end()
    parts.append(escape(text[position:]))
    return mark_safe("".join(parts))  # noqa: S308


def _token(match: re.Match[str]) -> SafeString:
    string, colon, literal, number = match.groups()
    if string is not None:
        css = "tok-key" if colon else "tok-str"
        return format_html('<span class="{}">{}</span>{}', css, string, colon or "")
    return format_html('<span class="{}">{}</span>', "tok-lit" if literal else "tok-num", literal or number)
