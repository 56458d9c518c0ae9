"""Two versions of a record, compared field by field; and data as colored JSON."""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

_TOKENS = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    before: str
    after: str
    kind: Literal["added", "removed", "changed", "same"]


def compare(before: dict[str, Any], after: dict[str, Any], *, include_unchanged: bool = False) -> list[Change]:
    """Compare nested records by dotted path, in the order of the newer one; lists are compared as a whole."""
    old, new = _flatten(before), _flatten(after)
    paths = [*new, *(path for path in old if path not in new)]
    changes = [Change(path, old.get(path, ""), new.get(path, ""), _kind(path, old, new)) for path in paths]
    return [change for change in changes if include_unchanged or change.kind != "same"]


def _kind(path: str, old: dict[str, str], new: dict[str, str]) -> Literal["added", "removed", "changed", "same"]:
    if path not in old:
        return "added"
    if path not in new:
        return "removed"
    return "same" if old[path] == new[path] else "changed"


def _flatten(value: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, item in value.items():
        path = f"{prefix}{key}"
        if isinstance(item, dict) and item:
            flat |= _flatten(item, f"{path}.")
        else:
            flat[path] = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str)
    return flat


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
