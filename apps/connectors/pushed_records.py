"""Pushed records of a connection: kept in their newest state, read in the order of their arrival."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from apps.connectors.models import PushedRecord
from apps.connectors.sdk.pushed import PushedRow
from apps.connectors.sdk.types import SourceRecord, WebhookEvent
from apps.core.bulk import execute, json_text
from apps.core.ids import uuid7

_KEEP = """
INSERT INTO connectors_pushedrecord AS known
    (id, connection_id, object_name, external_id, version, data, deleted, received_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (connection_id, object_name, external_id) DO UPDATE SET
    version = EXCLUDED.version, data = EXCLUDED.data, deleted = EXCLUDED.deleted, received_at = EXCLUDED.received_at
WHERE known.version <= EXCLUDED.version
"""


def keep_pushed(connection_id: UUID, event: WebhookEvent, now: datetime) -> None:
    """This function will make the event's record the newest state, unless a newer one is known."""
    values = [
        uuid7(), connection_id, event.stream, event.external_id, event.version, json_text(event.record), event.deleted, now,
    ]  # fmt: skip
    execute(_KEEP, values)


class PushedRecords:
    def __init__(self, connection_id: UUID) -> None:
        self.connection_id = connection_id

    def page(self, object_name: str, *, since: datetime | None, after_id: str, limit: int) -> list[PushedRow]:
        found = PushedRecord.objects.filter(connection_id=self.connection_id, object_name=object_name)
        if since is not None and after_id:
            found = found.filter(Q(received_at__gt=since) | Q(received_at=since, id__gt=UUID(after_id)))
        elif since is not None:
            found = found.filter(received_at__gte=since)
        return [
            PushedRow(record=_record(row), received_at=row.received_at, row_id=str(row.pk))
            for row in found.order_by("received_at", "id")[:limit]
        ]

    def get(self, object_name: str, external_id: str) -> SourceRecord | None:
        row = PushedRecord.objects.filter(
            connection_id=self.connection_id, object_name=object_name, external_id=external_id
        ).first()
        return _record(row) if row else None


def _record(row: PushedRecord) -> SourceRecord:
    return SourceRecord(external_id=row.external_id, data=row.data, modified_at=row.received_at, deleted=row.deleted)
