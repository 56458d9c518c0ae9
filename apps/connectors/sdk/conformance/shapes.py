"""JSON that is well formed and yet nothing that the system sends: made from one of its genuine deliveries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson

DEEP = b"[" * 900 + b"]" * 900
# Whole bodies: another type, no field of the right name, nesting, numbers, no JSON at all.
BODIES = (
    b"null", b"true", b"17", b"1e300", b'"text"', b"[]", b"{}", b"[[]]", b"[null]", b"[17]", b'[{}]', b'["text"]',
    DEEP, b'{"a":' + DEEP + b"}", b"[" * 100_000, b"", b"{", b"\xff", b'{"a": NaN}', b"1" + b"0" * 5000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 10**18, 1e300, "", "x\x00y", "not a date", "9" * 1000, [], {}, [None], {"id": None}, orjson.loads(DEEP),
)  # fmt: skip
MOST_PLACES = 60


def wrong_bodies(genuine: bytes) -> Iterator[bytes]:
    """Each place of the genuine body left out, and filled with each of the wrong values."""
    yield from BODIES
    data = orjson.loads(genuine)
    for path in list(_places(data, ()))[:MOST_PLACES]:
        yield _text(_without(data, path))
        for value in VALUES:
            changed = deepcopy(data)
            _parent(changed, path)[path[-1]] = value
            yield _text(changed)


def _places(data: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _parent(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        data = data[key]
    return data


def _without(data: Any, path: tuple[Any, ...]) -> Any:
    changed = deepcopy(data)
    del _parent(changed, path)[path[-1]]
    return changed


def _text(data: Any) -> bytes:
    """The standard library's: the quick one writes nothing as deep as it reads."""
    return json.dumps(data).encode()
