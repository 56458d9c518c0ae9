from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.canonical.models import CanonicalRecord
from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import EngineOwned
from apps.flows.models import Flow


class IntentKind(models.TextChoices):
    CREATE = "create", "Create"
    UPDATE = "update", "Update"


class IntentStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    SENT = "sent", "Sent, answer unknown"
    REJECTED = "rejected", "Rejected"
    UNCERTAIN = "uncertain", "Waiting for a person"


class WriteIntent(EngineOwned):
    """A write to a vendor, committed before the call. At most one is under way per (connection, object, record).

    `key` is deterministic (connection, object, record): the same create after a crash has the same key. A `sent` intent
    found after a crash is resolved with the vendor, never blindly repeated. While `planned`, `payload` is what would be
    sent for `record_version`; with `sent` it is what was. `rank` puts what others refer to first. A confirmed one is
    deleted: what it made stands in the cross-reference, what was sent in the log.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    run_id = models.UUIDField()
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    object_name = models.CharField(max_length=40)
    record = models.ForeignKey(
        CanonicalRecord, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=8, choices=IntentKind)
    key = models.CharField(max_length=64)
    rule = models.PositiveSmallIntegerField(null=True)  # position in the flow's definition; None: written on demand
    rank = models.PositiveSmallIntegerField(default=0)
    payload = models.JSONField()
    payload_hash = models.CharField(max_length=32, blank=True)
    rest_hash = models.CharField(max_length=32, blank=True)
    record_version = models.PositiveIntegerField()
    diff = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=12, choices=IntentStatus, default=IntentStatus.PLANNED)
    sent_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    source_changed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["flow", "connection", "object_name", "record"],
                condition=models.Q(status__in=["planned", "sent", "uncertain"]),
                name="one_open_intent_of_flow",
            ),
            models.UniqueConstraint(
                fields=["connection", "object_name", "record"],
                condition=models.Q(status__in=["sent", "uncertain"]),
                name="one_intent_under_way",
            ),
        ]
        indexes: ClassVar = [
            # In the order in which they are sent.
            models.Index(
                fields=["flow", "rank", "connection", "object_name", "id"],
                name="intent_planned",
                condition=models.Q(status="planned"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_name} {self.status}"
