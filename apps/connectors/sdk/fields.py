"""What is known of an object's fields: told by the vendor where it tells, else seen in sample records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

DEEPEST = 4
MOST_FIELDS = 300
SHORTEST_DATE = 10


class Choice(msgspec.Struct, frozen=True):
    value: str
    label: str


class FieldDescription(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a vendor's object. `path` leads to it in a record read; `target` is its name in a write.

    Either may be "": not read, or not writable. `kind`: text | integer | number | boolean | date | datetime | list | object.
    """

    path: str
    label: str = ""
    kind: str = "text"
    required: bool = False
    choices: tuple[Choice, ...] = ()
    target: str = ""


def describe_samples(records: Iterable[dict[str, Any]]) -> list[FieldDescription]:
    """The paths met in records, with the kind of their first value."""
    found: dict[str, Any] = {}
    for record in records:
        _collect(record, "", 1, found)
    return [FieldDescription(path=path, label=path, kind=kind_of(value)) for path, value in found.items()]


def _collect(value: dict[str, Any], prefix: str, depth: int, found: dict[str, Any]) -> None:
    for name, item in value.items():
        path = f"{prefix}{name}"
        if isinstance(item, dict) and item and depth < DEEPEST:
            _collect(item, f"{path}.", depth + 1, found)
        elif len(found) < MOST_FIELDS and found.get(path) is None:
            found[path] = item


def value_at(record: dict[str, Any], path: str) -> Any:
    """The value at a dotted path; names with dots in them are found too."""
    if path in record:
        return record[path]
    head, _, rest = path.partition(".")
    inner = record.get(head)
    return value_at(inner, rest) if rest and isinstance(inner, dict) else None


def kind_of(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", list: "list", dict: "object"}
    if type(value) in kinds:
        return kinds[type(value)]
    text = str(value or "")
    if len(text) >= SHORTEST_DATE and text[4:5] == text[7:8] == "-" and text[:4].isdigit():
        return "datetime" if len(text) > SHORTEST_DATE else "date"
    return "text"
