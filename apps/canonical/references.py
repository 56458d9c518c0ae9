"""Cross-references in bulk: which record an id in a system stands for, and what that system was last seen to hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from apps.core.bulk import copy_rows, execute, fetch_rows, json_text
from apps.core.ids import uuid7

_HASHES = """
SELECT external_id, last_seen_hash FROM canonical_crossreference
WHERE connection_id = %s AND object_name = %s AND external_id = ANY(%s) AND deleted_at IS NULL
"""
_SELECT = """
SELECT id, record_id, connection_id, object_name, external_id, seen, last_seen_hash, write_hash, rest_hash,
       source_modified_at, url, deleted_at
FROM canonical_crossreference
"""
_BY_EXTERNAL = _SELECT + "WHERE connection_id = %s AND object_name = %s AND external_id = ANY(%s)"
# Record by record: while a table is filled, the planner takes all of a connection's references for few.
_BY_RECORD = f"""
SELECT found.* FROM unnest(%s::uuid[]) AS wanted(id)
CROSS JOIN LATERAL ({_SELECT} WHERE record_id = wanted.id AND connection_id = %s OFFSET 0) found
"""  # noqa: S608 - constant
_COLUMNS = (
    "id", "record_id", "external_id", "seen", "last_seen_hash", "write_hash", "rest_hash", "source_modified_at", "url",
    "deleted_at",
)  # fmt: skip
_UPDATE = """
UPDATE canonical_crossreference xref SET
    seen = new.seen, last_seen_hash = new.last_seen_hash, write_hash = new.write_hash, rest_hash = new.rest_hash,
    source_modified_at = new.source_modified_at, url = new.url, deleted_at = new.deleted_at, last_seen_at = %s
FROM jsonb_to_recordset(%s::jsonb) AS new(
    id uuid, seen jsonb, last_seen_hash text, write_hash text, rest_hash text, source_modified_at timestamptz,
    url text, deleted_at timestamptz)
WHERE xref.id = new.id
"""
_DELETED = """
UPDATE canonical_crossreference SET deleted_at = %s
WHERE connection_id = %s AND object_name = %s AND external_id = ANY(%s) AND deleted_at IS NULL
"""


@dataclass(slots=True)
class Reference:
    """A cross-reference in memory."""

    record_id: UUID
    connection_id: UUID
    object_name: str
    external_id: str
    id: UUID = field(default_factory=uuid7)
    seen: dict[str, Any] = field(default_factory=dict)
    last_seen_hash: str = ""
    write_hash: str = ""
    rest_hash: str = ""
    source_modified_at: datetime | None = None
    url: str = ""
    deleted_at: datetime | None = None
    is_new: bool = True


def seen_hashes(connection_id: UUID, object_name: str, external_ids: list[str]) -> dict[str, str]:
    """The one query that decides a page of unchanged records."""
    return dict(fetch_rows(_HASHES, [connection_id, object_name, external_ids]))


def by_external_id(connection_id: UUID, object_name: str, external_ids: Iterable[str]) -> dict[str, Reference]:
    ids = list(dict.fromkeys(external_ids))
    rows = fetch_rows(_BY_EXTERNAL, [connection_id, object_name, ids]) if ids else []
    return {row[4]: _reference(row) for row in rows}


def by_record(connection_id: UUID, record_ids: Iterable[UUID]) -> dict[tuple[UUID, str], Reference]:
    """{(record, object): reference} in one system."""
    ids = list(dict.fromkeys(record_ids))
    rows = fetch_rows(_BY_RECORD, [ids, connection_id]) if ids else []
    return {(row[1], row[3]): _reference(row) for row in rows}


def mark_deleted(connection_id: UUID, object_name: str, external_ids: list[str], now: datetime) -> None:
    """This function will note that a system no longer has these objects; what they stood for stays."""
    execute(_DELETED, [now, connection_id, object_name, external_ids])


def save_references(references: Sequence[Reference], now: datetime) -> None:
    """This function will write new and changed cross-references."""
    new = [reference for reference in references if reference.is_new]
    places: dict[tuple[UUID, str], list[Reference]] = {}
    for reference in new:
        places.setdefault((reference.connection_id, reference.object_name), []).append(reference)
    for (connection_id, object_name), found in places.items():
        shared = {"connection_id": connection_id, "object_name": object_name, "last_seen_at": now}
        copy_rows("canonical_crossreference", _COLUMNS, map(_row, found), shared)
    old = [_values(reference) for reference in references if not reference.is_new]
    if old:
        execute(_UPDATE, [now, json_text(old)])
    for reference in new:
        reference.is_new = False


def _reference(row: tuple[Any, ...]) -> Reference:
    seen = row[5] if isinstance(row[5], dict) else orjson.loads(row[5])
    return Reference(
        id=row[0], record_id=row[1], connection_id=row[2], object_name=row[3], external_id=row[4], seen=seen,
        last_seen_hash=row[6], write_hash=row[7], rest_hash=row[8], source_modified_at=row[9], url=row[10],
        deleted_at=row[11], is_new=False,
    )  # fmt: skip


def _row(reference: Reference) -> tuple[Any, ...]:
    return (
        reference.id, reference.record_id, reference.external_id, json_text(reference.seen), reference.last_seen_hash, reference.write_hash, reference.rest_hash,
        reference.source_modified_at, reference.url[:300], reference.deleted_at,
    )  # fmt: skip


def _values(reference: Reference) -> dict[str, Any]:
    return {
        "id": reference.id,
        "seen": reference.seen,
        "last_seen_hash": reference.last_seen_hash,
        "write_hash": reference.write_hash,
        "rest_hash": reference.rest_hash,
        "source_modified_at": reference.source_modified_at,
        "url": reference.url[:300],
        "deleted_at": reference.deleted_at,
    }
