"""Reading a list in the order of its modification stamps, by key instead of by offset.

An offset points into a result that moves while it is read: whatever changes jumps to the end and everything behind it
shifts. A key does not move. Stamps are coarser than the clock that made them (a second, as most systems show them), and
an import leaves hundreds of records with one stamp: a page full of equal stamps is walked by id instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from apps.connectors.sdk.errors import FatalError

JsonDict = dict[str, Any]
SECOND = timedelta(seconds=1)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask for next.

    Without `until`: everything stamped at `since` or later (None: everything), ordered by stamp, then id. With `until`:
    what is stamped in [since, until), ordered by id, and only ids beyond `after` ("" is before the first).
    """

    since: datetime | None = None
    until: datetime | None = None
    after: str = ""


class StampWalk:
    """Pages of rows with the checkpoint that resumes after each.

    `search(span, limit)` asks the vendor; `stamp` and `identity` read a row. `step` is the grain of the stamps. A new
    pass starts `overlap` before the newest stamp of the last: stamps are taken when a transaction starts, but rows show
    when it commits. Checkpoints are `{"since", "after", "complete"}`.
    """

    def __init__(
        self,
        search: Callable[[Span, int], list[JsonDict]],
        *,
        stamp: Callable[[JsonDict], datetime],
        identity: Callable[[JsonDict], str],
        overlap: timedelta,
        step: timedelta = SECOND,
    ) -> None:
        self._search = search
        self._stamp = stamp
        self._identity = identity
        self._overlap = overlap
        self._step = step

    def pages(self, checkpoint: JsonDict | None, *, size: int) -> Iterator[tuple[list[JsonDict], JsonDict]]:
        span = self._resume(checkpoint)
        size = max(2, size)
        while True:
            rows = self._search(span, size)
            self._require_place(span, rows)
            last = span.until is None and len(rows) < size
            shown, span = self._advance(span, rows, size)
            if shown or last:
                yield shown, _stored(span, complete=last)
            if last:
                return

    def _resume(self, checkpoint: JsonDict | None) -> Span:
        state = checkpoint or {}
        if not state.get("since"):
            return Span()
        since = datetime.fromisoformat(state["since"])
        if state.get("complete"):
            return Span(since=since - self._overlap)
        if state.get("after") is not None:
            return Span(since=since, until=since + self._step, after=state["after"])
        return Span(since=since)

    def _require_place(self, span: Span, rows: list[JsonDict]) -> None:
        """The walk rests on filter and order; a vendor that ignored one would lose rows, or repeat them for ever."""
        stamps = [self._stamp(row) for row in rows]
        if span.since is not None and stamps and min(stamps) < span.since:
            raise FatalError("the vendor ignored the filter on the modification time", code="filter_ignored")
        if span.until is None and stamps != sorted(stamps):
            raise FatalError("the vendor's list came back unsorted", code="unsorted")

    def _advance(self, span: Span, rows: list[JsonDict], size: int) -> tuple[list[JsonDict], Span]:
        """The rows that count, and what follows them."""
        if span.until is not None:
            if len(rows) < size:
                return rows, Span(since=span.until)
            return rows, Span(since=span.since, until=span.until, after=self._identity(rows[-1]))
        if not rows:
            return rows, span
        newest = self._stamp(rows[-1])
        if len(rows) < size:
            return rows, Span(since=newest)
        # Rows stamped like the last may go on behind the page: they are read again, together.
        older = [row for row in rows if self._stamp(row) != newest]
        if older:
            return older, Span(since=newest)
        return [], Span(since=newest, until=newest + self._step)


def _stored(span: Span, *, complete: bool) -> JsonDict:
    state: JsonDict = {"since": span.since.isoformat() if span.since else None, "complete": complete}
    return state if span.until is None else {**state, "after": span.after}
