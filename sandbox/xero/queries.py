"""Reading lists: filters, order and pages, in the dialect the accounting API offers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from sandbox.vendor import VendorError
from sandbox.xero import wire
from sandbox.xero.wire import JsonDict

DEFAULT_PAGE_SIZE = 100
LARGEST_PAGE_SIZE = 1000
_CONDITION = re.compile(r'^\s*([A-Za-z.]+)\s*==\s*(?:[Gg]uid\(\s*)?"([^"]*)"\)?\s*$')
_LIST_FILTERS = {
    "IDs": None,
    "InvoiceNumbers": "InvoiceNumber",
    "ContactIDs": "Contact.ContactID",
    "Statuses": "Status",
}


@dataclass
class Listing:
    """One page of a list; `pagination` is None when the caller asked for no page and got the summary form."""

    items: list[JsonDict]
    pagination: JsonDict | None


def select(items: list[JsonDict], args: MultiDict[str, str], *, id_field: str, since: datetime | None) -> Listing:
    """Raises VendorError 400 for a filter or an order Xero would not understand."""
    floor = since.timestamp() * 1000 if since else None
    found = [i for i in items if floor is None or wire.milliseconds(i["UpdatedDateUTC"]) >= floor]
    found = [item for item in found if _passes_lists(item, args, id_field)]
    for test in _conditions(args.get("where", "")):
        found = [item for item in found if test(item)]
    found.sort(key=lambda item: item[id_field])
    _order(found, args.get("order", ""))
    if "page" not in args:
        return Listing(found, None)
    page = max(1, args.get("page", 1, type=int))
    size = min(max(1, args.get("pageSize", DEFAULT_PAGE_SIZE, type=int)), LARGEST_PAGE_SIZE)
    pagination = {
        "page": page,
        "pageSize": size,
        "pageCount": -(-len(found) // size),
        "itemCount": len(found),
    }
    return Listing(found[(page - 1) * size : page * size], pagination)


def modified_since(header: str | None) -> datetime | None:
    """If-Modified-Since holds ISO 8601; Xero compares to the second."""
    if not header:
        return None
    try:
        return wire.parse_moment(header.replace("Z", "+00:00")).replace(microsecond=0)
    except ValueError:
        raise VendorError(400, "The If-Modified-Since header is not a valid date") from None


def _passes_lists(item: JsonDict, args: MultiDict[str, str], id_field: str) -> bool:
    for name, path in _LIST_FILTERS.items():
        wanted = [part.strip() for part in args.get(name, "").split(",") if part.strip()]
        if wanted and dig(item, path or id_field) not in wanted:
            return False
    return True


def _conditions(where: str) -> list[Callable[[JsonDict], bool]]:
    """Equality joined by AND is all that is simulated; anything else is refused rather than ignored."""
    tests = []
    for part in re.split(r"\s+AND\s+|&&", where) if where.strip() else []:
        match = _CONDITION.match(part)
        if not match:
            raise VendorError(400, f"Syntax error in '{part.strip()}'", type="QueryParseException", number=16)
        tests.append(_equals(match[1], match[2]))
    return tests


def _equals(path: str, wanted: str) -> Callable[[JsonDict], bool]:
    return lambda item: str(dig(item, path) or "") == wanted


def _order(items: list[JsonDict], order: str) -> None:
    if not order:
        return
    field, _, direction = order.partition(" ")
    if direction.upper() not in ("", "ASC", "DESC") or not re.fullmatch(r"[A-Za-z.]+", field):
        raise VendorError(400, f"Syntax error in '{order}'", type="QueryParseException", number=16)
    items.sort(key=lambda item: _sort_key(dig(item, field)), reverse=direction.upper() == "DESC")


def _sort_key(value: Any) -> tuple[int, str]:
    text = str(value or "")
    return (wire.milliseconds(text), text)


def dig(item: JsonDict, path: str) -> Any:
    value: Any = item
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
