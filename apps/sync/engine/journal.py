"""What a run leaves behind for people: a fact per record, differences apart, every vendor call, usage, counts."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from apps.connectors.models import Connection
from apps.connectors.sdk.connector import HttpExchange
from apps.core import clock
from apps.core.bulk import copy_rows, json_text, next_ids
from apps.flows.models import Flow
from apps.sync.models import RecordAction
from apps.sync.redaction import TITLE, PayloadRules, payload_rules

_LOG = "sync_recordlog"
_LOG_COLUMNS = ("id", "record_id", "external_id", "title", "changed_fields", "attempts", "latency_ms")
_FAILED_COLUMNS = (*_LOG_COLUMNS, "error_class", "error")
_KIND_COLUMNS = ("connection_id", "direction", "object_name", "entity", "action")
_CALL_COLUMNS = (
    "at", "connection_id", "method", "path", "status", "duration_ms", "response_bytes", "attempt", "error",
)  # fmt: skip
_RESPONSE_BYTES = 1 + _CALL_COLUMNS.index("response_bytes")
MANY = 100
COUNTS = ("read", "created", "updated", "unchanged", "skipped", "failed", "call", "byte")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One record at one system, as the log tells it."""

    connection_id: UUID
    direction: str
    object_name: str
    entity: str
    action: RecordAction
    record_id: UUID | None = None
    external_id: str = ""
    title: str = ""
    diff: dict[str, list[Any]] = {}
    attempts: int = 1
    latency_ms: int | None = None

    @property
    def kind(self) -> tuple[Any, ...]:
        """What most entries of a page have in common."""
        return (self.connection_id, self.direction, self.object_name, self.entity, self.action)

    @property
    def place(self) -> tuple[Any, ...]:
        return (self.direction, self.connection_id, self.object_name, self.record_id, self.external_id)

    @property
    def cause_key(self) -> tuple[Any, ...]:
        return cause_key(self.direction, self.connection_id, self.object_name, self.record_id, self.external_id)


def cause_key(
    direction: str, connection_id: UUID, object_name: str, record_id: UUID | None, external_id: str
) -> tuple[Any, ...]:
    """A failing record is known by our id where there is one; only what could not be read has but its own."""
    return (direction, connection_id, object_name, record_id or external_id)


class Journal:
    """Buffers until the transaction that makes the facts true writes them (`flush`)."""

    def __init__(self, flow: Flow, run_id: UUID | None) -> None:
        self.owner = {
            "run_id": run_id,
            "customer_id": flow.customer_id,
            "environment_id": flow.environment_id,
            "flow_id": flow.pk,
        }
        self.entries: list[Entry] = []
        self.counts = dict.fromkeys(COUNTS, 0)
        self._calls: deque[tuple[Any, ...]] = deque()  # filled by threads that call beside the run, too
        self._failed: set[tuple[Any, ...]] = set()
        self._failing: set[tuple[Any, ...]] = set()
        self._causes: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._ids: list[int] = []  # reserved
        self._written = 0

    def note(self, entry: Entry) -> None:
        """A run meets a failing record more than once; it is told, and counted, once."""
        if entry.action == RecordAction.FAILED:
            if entry.place in self._failed or entry.place in self._failing:
                return
            self._failing.add(entry.place)
        self.entries.append(entry)
        self.count("updated" if entry.action == RecordAction.DELETED else str(entry.action))

    def note_cause(self, key: tuple[Any, ...], error_class: str, message: str) -> None:
        """Why the record fails that is noted beside this, by its `cause_key`."""
        self._causes[key] = error_class, message[:1000]

    def count(self, name: str, quantity: int = 1) -> None:
        self.counts[name] += quantity

    def note_call(self, connection: Connection, exchange: HttpExchange) -> None:
        parts = urlsplit(exchange.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._calls.append(
            (exchange.request_bytes, clock.now(), connection.pk, exchange.method, path[:500], exchange.status,
             exchange.duration_ms, exchange.response_bytes, exchange.attempt, exchange.error[:300])
        )  # fmt: skip

    def mark(self) -> dict[str, int]:
        return dict(self.counts)

    def discard(self, mark: dict[str, int]) -> None:
        """Forgets what a transaction noted that was rolled back; the calls before it were made and stay."""
        self.counts = mark
        self.entries = []
        self._failing = set()

    def flush(self, now: datetime) -> dict[str, int]:
        """This method will write what is buffered; returns the counts since the last flush."""
        if self.entries:
            self._write_entries(now)
        if self._calls:
            self._write_calls()
        counts, self.counts = self.counts, dict.fromkeys(COUNTS, 0)
        self.entries, self._causes = [], {}
        self._failed, self._failing = self._failed | self._failing, set()
        return counts

    def _write_calls(self) -> None:
        calls = [self._calls.popleft() for _ in range(len(self._calls))]
        self.count("call", len(calls))
        self.count("byte", sum(call[0] + call[_RESPONSE_BYTES] for call in calls))
        copy_rows("sync_vendorcall", _CALL_COLUMNS, [call[1:] for call in calls], self.owner)

    def _write_entries(self, now: datetime) -> None:
        rules = payload_rules({entry.connection_id for entry in self.entries})
        ids = self._take_ids(len(self.entries))
        self._copy_entries(ids, rules, now)
        # Made while the database takes in what they belong to.
        payloads = [
            (log_id, known.diff_text(e.entity, e.diff))
            for log_id, e in zip(ids, self.entries, strict=True)
            if e.diff and (known := rules[e.connection_id]).is_kept
        ]
        copy_rows("sync_recordpayload", ("log_id", "diff"), payloads, {"at": now})

    def reserve(self) -> None:
        """This method will fetch ids for as many rows as were written last, while the database has nothing else to do.

        Asked for when they are needed, they would come after all rows that are on their way.
        """
        if self._written >= MANY:
            self._ids += next_ids(_LOG, max(self._written - len(self._ids), 0))
        self._written = 0

    def _take_ids(self, count: int) -> list[int]:
        if len(self._ids) < count:
            self._ids += next_ids(_LOG, count - len(self._ids))
        taken, self._ids = self._ids[:count], self._ids[count:]
        self._written = count
        return taken

    def _copy_entries(self, ids: list[int], rules: dict[UUID, PayloadRules], now: datetime) -> None:
        names: dict[tuple[str, ...], str] = {}
        alike: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for log_id, e in zip(ids, self.entries, strict=True):
            fields = names.get(changed := tuple(e.diff))
            if fields is None:
                fields = names[changed] = json_text(sorted(changed))
            title = rules[e.connection_id].hide(e.entity, TITLE, e.title)[:250]
            row: tuple[Any, ...] = (log_id, e.record_id, e.external_id, title, fields, e.attempts, e.latency_ms)
            if e.action == RecordAction.FAILED:
                row += self._causes.get(e.cause_key, ("", ""))
            alike[e.kind].append(row)
        for kind, found in alike.items():
            shared = {**self.owner, "at": now, **dict(zip(_KIND_COLUMNS, kind, strict=True))}
            copy_rows(_LOG, _FAILED_COLUMNS if kind[-1] == RecordAction.FAILED else _LOG_COLUMNS, found, shared)
