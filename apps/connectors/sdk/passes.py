"""The usual way to read a list that can be filtered by change: one pass after another, each resumable at any page.

A vendor's stream says how one page is fetched (`fetch`) and how a row reads (`record`); the pass remembers where it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from apps.connectors.sdk.types import JsonDict, Page, SourceRecord


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One fetched page: `place` is where the next one starts (JSON), None after the last."""

    records: list[SourceRecord]
    place: JsonDict | None = None


class PassStream(ABC):
    """Incremental reading by a modification filter.

    A checkpoint of a pass under way is `{"since", "place", "high", "started"}`; of a finished one `{"since"}`: the newest
    stamp seen, by the vendor's clock, and never later than the start of the pass. The next pass starts `overlap` before it,
    for what was committed late or shown late; reading something twice is harmless.

        class Tasks(PassStream):
            def fetch(self, *, since, place, size):
                answer = client.get("/tasks", params={"updated_since": iso(since), "page": place.get("page", 1)})
                return Batch(records=[...], place={"page": 2} if answer["next_page"] else None)
    """

    overlap: ClassVar[timedelta] = timedelta(minutes=5)
    max_page: ClassVar[int] = 100
    incremental: ClassVar[bool] = True

    def __init__(self, connector: Any) -> None:
        self.connector = connector

    @abstractmethod
    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        """One page of what changed at or after `since` (None: everything), from `place` ({}: the first)."""

    @abstractmethod
    def get(self, external_id: str) -> SourceRecord | None:
        """One object as it is now."""

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        state = self._opened(checkpoint or {})
        size = min(page_size, self.max_page)
        while True:
            batch = self.fetch(since=moment(state["since"]), place=state["place"], size=size)
            stamps = [record.modified_at for record in batch.records if record.modified_at]
            state["high"] = stamp(max([*stamps, *filter(None, [moment(state["high"])])], default=None))
            if batch.place is None:
                yield Page(records=batch.records, checkpoint=self._closed(state))
                return
            state["place"] = batch.place
            yield Page(records=batch.records, checkpoint=dict(state))

    def _opened(self, checkpoint: JsonDict) -> JsonDict:
        if "place" in checkpoint:
            return dict(checkpoint)
        known = moment(checkpoint.get("since")) if self.incremental else None
        since = stamp(known - self.overlap) if known else None
        started = stamp(self.connector.context.now())
        return {"since": since, "place": {}, "high": checkpoint.get("since"), "started": started}

    def _closed(self, state: JsonDict) -> JsonDict:
        if not self.incremental or state["high"] is None:
            return {}
        return {"since": min(state["high"], state["started"])}


def stamp(value: datetime | None) -> str | None:
    """Fixed-width UTC text, so that texts compare as moments do."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if value else None


def moment(text: str | None) -> datetime | None:
    """The moment a vendor or a checkpoint wrote; without an offset it is UTC."""
    if not text:
        return None
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
