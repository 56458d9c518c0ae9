"""What a system may send and the database does not hold: endless numbers, null characters, lists without a bottom.

Where nobody maps such a value the record is taken over without it. Where a field is made of it, that field is the problem.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

UNKEEPABLE = "It holds a number too large, a null character, or lists nested too deeply to be kept."
LARGEST = 2**63 - 1
DEEPEST = 100
# Behind an even number of backslashes the next one is none of theirs: otherwise somebody wrote these six signs.
_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def find_unkeepable(values: dict[str, Any]) -> str:
    """The field whose value the database does not hold; "" when it holds them all."""
    for name, value in values.items():
        kind = value.__class__
        if kind is str:
            is_kept = "\x00" not in value
        elif kind is int:
            is_kept = -LARGEST <= value <= LARGEST
        else:
            is_kept = kind is bool or kind is float or value is None or _is_json(value)
        if not is_kept:
            return name
    return ""


def _is_json(value: Any) -> bool:
    """Nested neither too deeply nor with numbers too large, and without null characters."""
    try:
        text = orjson.dumps(value)
    except TypeError:
        return False
    return b"\\u0000" not in text or not _NULL.search(text)


def writable(value: Any, levels: int = DEEPEST) -> Any:
    """The same JSON, with a text in place of each value that cannot be written as JSON.

    These texts begin with a null character, so that a field made of one is found to be unkeepable.
    """
    if isinstance(value, dict | list) and not levels:
        return "\x00"
    if isinstance(value, dict):
        return {_text(str(key)): writable(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [writable(item, levels - 1) for item in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"\x00{value:x}"
    return value


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return f"\x00{value!a}"
    return value
