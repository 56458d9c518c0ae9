"""Bracketed forms and queries read back into nested values, checked against what an operation knows."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

from sandbox.vendor import VendorError

JsonDict = dict[str, Any]
_PART = re.compile(r"\[([^\]]*)\]")


def refuse(
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    status: int = 400,
    kind: str = "invalid_request_error",
) -> VendorError:
    return VendorError(status, message, param=param, code=code, kind=kind)


def unknown(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> VendorError:
    return refuse(f"No such {kind}: '{object_id}'", param=param, code="resource_missing", status=status)


def nested(text: str) -> JsonDict:
    """`a[0][b]=1&c[]=2` → {"a": {"0": {"b": "1"}}, "c": {"": …}}, then lists where the names are numbers."""
    root: JsonDict = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parts = [name.partition("[")[0], *_PART.findall(name)]
        place = root
        for part, following in pairwise(parts):
            place = place.setdefault(part or str(len(place)), {})
            if not isinstance(place, dict):
                raise refuse(f"Invalid {name}", param=following)
        place[parts[-1] or str(len(place))] = value
    found: JsonDict = _listed(root)
    return found


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(entry) for name, entry in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def known(values: JsonDict, names: set[str]) -> JsonDict:
    """Raises VendorError for the first name nobody knows."""
    for name in values:
        if name not in names | {"expand"}:
            raise refuse(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")
    return values


def integer(values: JsonDict, name: str, default: int | None = None) -> int:
    given = values.get(name)
    if given is None and default is not None:
        return default
    if not re.fullmatch(r"-?\d+", str(given)):
        raise refuse(f"Invalid integer: {given}", param=name, code="parameter_invalid_integer")
    return int(str(given))


def required(values: JsonDict, name: str) -> Any:
    if values.get(name) in (None, ""):
        raise refuse(f"Missing required param: {name}.", param=name, code="parameter_missing")
    return values[name]


def truth(values: JsonDict, name: str) -> bool:
    return values.get(name) in ("true", True)


def merged_metadata(current: JsonDict, values: JsonDict) -> JsonDict:
    """Names are added or replaced; an empty value takes one away."""
    given = values.get("metadata")
    if given == "":
        return {}
    both = {**current, **(given or {})}
    return {name: value for name, value in both.items() if value != ""}
