"""What passes between the engine and a connector."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

import msgspec

JsonDict = dict[str, Any]


class SourceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor object as read: `data` is the vendor's JSON (after decimals, dates and ids are made plain).

    `problem` says why it cannot be taken over (a broken row of a file); it goes to the error desk, the rest is read.
    """

    external_id: str
    data: JsonDict
    modified_at: datetime | None = None
    url: str = ""
    deleted: bool = False
    problem: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of records and the checkpoint that resumes *after* it.

    `checkpoint` is JSON. Storing it together with the page's effects makes a crash replay at most one page.
    `remaining` is how many records are still to come after this page, where the vendor tells.
    """

    records: list[SourceRecord]
    checkpoint: JsonDict
    remaining: int | None = None


class WriteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One create (external_id is None) or update.

    `key` is the deterministic, neutral reference of the intent (at most 64 ASCII characters). Sinks that leave a
    mark in the vendor's system store it there (`sync_ref`); sinks with vendor idempotency send it as that key.
    """

    key: str
    payload: JsonDict
    external_id: str | None = None


class WriteResult(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of one `WriteRequest`: either `record` (read back from the vendor) or `error`."""

    key: str
    record: SourceRecord | None = None
    error: Exception | None = None


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One verified change notice: which vendor account, which stream, which object (may be empty: poll the stream).

    `record` is the object itself where the system pushes it, with the sender's `version` of it.
    """

    event_id: str
    account_id: str = ""
    stream: str = ""
    external_id: str = ""
    occurred_at: datetime | None = None
    record: JsonDict | None = None
    version: int = 0
    deleted: bool = False


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """A connection check that passed: whose account it is (`account_id` joins app-wide webhooks to a connection)."""

    account_id: str
    account_name: str


class Stream(Protocol):
    """A readable object. Incremental by default: `checkpoint=None` starts from the beginning.

    Contract: no record written during the read is ever missed (an overlap window is allowed, duplicates are
    harmless); the checkpoint of the last page is where the next run starts.
    """

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]: ...

    def get(self, external_id: str) -> SourceRecord | None: ...


class Sink(Protocol):
    """A writable object. `write` returns one result per request, in order; per-record refusals are results, not raises.

    Whole-call failures (`ConfigurationError`, `TransientError`, `RateLimited`, `FatalError`) are raised: then
    nothing is known of the batch and the engine resolves each intent through `resolve`.
    """

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]: ...

    def resolve(self, key: str) -> SourceRecord | None:
        """The object created under `key`, or None when the vendor provably has none."""
        ...

    def get(self, external_id: str) -> SourceRecord | None: ...


class DeletingSink(Sink, Protocol):
    """A sink whose vendor lets records be removed (or archived, where that is what its users do)."""

    def delete(self, external_id: str) -> None:
        """Remove one object; one that is gone already is no error. Raises what a call raises; RecordRejected: it stays."""
        ...
