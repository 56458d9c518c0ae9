"""Small state machines that say what to ask next; they know neither the client nor the vendor.

for response in paginate(client, "/crm/v3/objects/deals", CursorPaginator("paging.next.after", "after")):
    ...

"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from apps.connectors.sdk.client import Call, VendorClient
from apps.connectors.sdk.error_table import VendorResponse
from apps.connectors.sdk.errors import FatalError

LINK = re.compile(r'<([^>]+)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


class Paginator(Protocol):
    """`done` turns true after the answer that has no successor."""

    done: bool

    def params(self) -> dict[str, Any]: ...

    def path(self) -> str | None: ...

    def update(self, response: VendorResponse) -> None: ...


class CursorPaginator:
    """The answer holds the cursor of the next page at a dotted `location`; it is sent back as parameter `name`."""

    def __init__(self, location: str, name: str, *, cursor: str | None = None) -> None:
        self.location = location
        self.name = name
        self.cursor = cursor
        self.done = False

    def params(self) -> dict[str, Any]:
        return {self.name: self.cursor} if self.cursor else {}

    def path(self) -> str | None:
        return None

    def update(self, response: VendorResponse) -> None:
        found = dig(response.data, self.location)
        self.cursor = str(found) if found not in (None, "") else None
        self.done = self.cursor is None


class PageNumberPaginator:
    """Numbered pages; the first page with fewer than `size` items at `items` is the last."""

    def __init__(
        self, items: str, size: int, *, name: str = "page", size_name: str | None = "per_page", start: int = 1
    ) -> None:
        self.items = items
        self.size = size
        self.name = name
        self.size_name = size_name
        self.page = start
        self.done = False

    def params(self) -> dict[str, Any]:
        size = {self.size_name: self.size} if self.size_name else {}
        return {self.name: self.page, **size}

    def path(self) -> str | None:
        return None

    def update(self, response: VendorResponse) -> None:
        self.page += 1
        self.done = len(dig(response.data, self.items) or []) < self.size


class OffsetPaginator:
    """Offset and limit; ends at `total` when the vendor tells it, else at the first short page."""

    def __init__(
        self,
        items: str,
        size: int,
        *,
        total: str | None = None,
        name: str = "offset",
        size_name: str = "limit",
        start: int = 0,
    ) -> None:
        self.items = items
        self.size = size
        self.total = total
        self.name = name
        self.size_name = size_name
        self.offset = start
        self.done = False

    def params(self) -> dict[str, Any]:
        return {self.name: self.offset, self.size_name: self.size}

    def path(self) -> str | None:
        return None

    def update(self, response: VendorResponse) -> None:
        count = len(dig(response.data, self.items) or [])
        self.offset += count
        total = dig(response.data, self.total) if self.total else None
        # An empty page ends it in any case: a total that counts invisible records would never be reached.
        self.done = count == 0 or (count < self.size if total is None else self.offset >= int(total))


class LinkHeaderPaginator:
    """Follows `Link: <...>; rel="next"`."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.done = False

    def params(self) -> dict[str, Any]:
        return {}

    def path(self) -> str | None:
        return self.url

    def update(self, response: VendorResponse) -> None:
        match = LINK.search(response.headers.get("link", ""))
        self.url = match.group(1) if match else None
        self.done = self.url is None


def paginate(
    client: VendorClient, path: str, paginator: Paginator, *, params: Mapping[str, Any] | None = None
) -> Iterator[VendorResponse]:
    """Every page, one GET at a time. A link that carries its own query is followed as it is.

    Raises FatalError where the vendor leads back to a page that was asked for, or gives one page again and again.
    """
    asked: set[str] = set()
    last: Any = None
    while not paginator.done:
        link = paginator.path()
        query = {} if link else {**(params or {}), **paginator.params()}
        place = f"{link or path} {sorted(query.items())}"
        if place in asked:
            raise FatalError("the vendor leads back to a page that was read already", code="paging")
        asked.add(place)
        response = client.send(Call(method="GET", path=link or path, params=query))
        paginator.update(response)
        if response.data and response.data == last and not paginator.done:
            raise FatalError("the vendor gives the same page again and again", code="paging")
        last = response.data
        yield response


def dig(data: Any, location: str) -> Any:
    """The value at a dotted path of nested dicts, None when any part is missing; "" is the whole."""
    for part in location.split(".") if location else []:
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data
