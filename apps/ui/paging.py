"""Keyset paging: the address carries the last row seen, so page 5,000 costs what page 1 does and new rows shift nothing."""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, QueryDict

M = TypeVar("M", bound=Model)
T = TypeVar("T")
PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: list[T]
    next_url: str = ""
    previous_url: str = ""

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def encode_cursor(values: list[object], *, backwards: bool = False) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    text = json.dumps([backwards, *[v if isinstance(v, int | float | None) else str(v) for v in plain]])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str) -> tuple[bool, list[object]] | None:
    """Read a cursor; anything unreadable means the first page, never an error."""
    try:
        backwards, *values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, RecursionError):
        return None
    return (bool(backwards), values) if all(map(_is_plain, values)) else None


def _is_plain(value: object) -> bool:
    """A number or a text that a database can be asked for."""
    if isinstance(value, str):
        return not _UNKEEPABLE.search(value)
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))


def page_queryset(
    queryset: QuerySet[M],
    request: HttpRequest,
    *,
    order: tuple[str, ...] = ("-created_at", "-id"),
    size: int = PAGE_SIZE,
) -> Page[M]:
    """Fetch one page; `order` must end in a unique column and hold no nullable one."""
    cursor = decode_cursor(request.GET.get("cursor", ""))
    backwards, values = cursor if cursor and len(cursor[1]) == len(order) else (False, [])
    size = min(size, MAX_PAGE_SIZE)
    direction = tuple(_flip(name) for name in order) if backwards else order
    narrowed = _narrow(queryset, direction, values)
    if narrowed is None:
        backwards, values, direction, narrowed = False, [], order, queryset
    rows = list(narrowed.order_by(*direction)[: size + 1])
    has_more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (backwards or has_more)
    has_previous = bool(rows) and (has_more if backwards else bool(values))
    return Page(
        items=rows,
        next_url=_url(request, order, rows[-1], backwards=False) if has_next else "",
        previous_url=_url(request, order, rows[0], backwards=True) if has_previous else "",
    )


def first_page(rows: list[T], request: HttpRequest, *, order: tuple[str, ...], size: int = PAGE_SIZE) -> Page[T]:
    """Of rows fetched from the beginning in that order, more than the page holds if there are more."""
    shown = rows[:size]
    return Page(shown, _url(request, order, shown[-1], backwards=False) if len(rows) > size else "")


def _narrow(queryset: QuerySet[M], direction: tuple[str, ...], values: list[object]) -> QuerySet[M] | None:
    """What comes after the place; None where the place is of another list, or made up."""
    try:
        return queryset.filter(_after(direction, values)) if values else queryset
    except (ValueError, TypeError, ValidationError):
        return None


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _after(order: tuple[str, ...], values: list[object]) -> Q:
    """Build (a, b) beyond (x, y) as a < x or (a = x and b < y), each column in its own direction."""
    condition = Q()
    equal = Q()
    for name, value in zip(order, values, strict=True):
        field = name.lstrip("-")
        beyond = Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value})
        condition |= equal & beyond
        equal &= Q(**{field: value})
    # Said once more for the first column alone: an index can start there, which it cannot with alternatives.
    first = order[0]
    bound = Q(**{f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}": values[0]})
    return bound & condition


def _url(request: HttpRequest, order: tuple[str, ...], row: object, *, backwards: bool) -> str:
    values: list[object] = [_read(row, name.lstrip("-")) for name in order]
    return with_query(request, cursor=encode_cursor(values, backwards=backwards))


def _read(row: object, path: str) -> object:
    value: object = row
    for step in path.split("__"):
        value = getattr(value, step)
    return value


def with_query(request: HttpRequest, **changes: str | list[str] | None) -> str:
    """The current address with some parameters replaced; None or empty removes one."""
    query: QueryDict = request.GET.copy()
    for key, value in changes.items():
        if not value:
            query.pop(key, None)
        else:
            query.setlist(key, value if isinstance(value, list) else [value])
    encoded = urlencode([(key, item) for key, values in query.lists() for item in values])
    return f"{request.path}?{encoded}" if encoded else request.path
