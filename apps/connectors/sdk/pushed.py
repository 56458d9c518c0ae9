"""Records that were pushed to us, as a connector finds them again."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from apps.connectors.sdk.types import SourceRecord


class PushedRow(msgspec.Struct, frozen=True, kw_only=True):
    """The newest state of a record, when it arrived, and its row's id (which orders those that arrived at once)."""

    record: SourceRecord
    received_at: datetime
    row_id: str


class PushedStore(Protocol):
    """The newest state per record, by the time of its arrival."""

    def page(self, object_name: str, *, since: datetime | None, after_id: str, limit: int) -> list[PushedRow]:
        """In order of arrival; at `since` itself only those behind `after_id`."""
        ...

    def get(self, object_name: str, external_id: str) -> SourceRecord | None: ...
