"""Outbox, inbox and idempotency records: one shape for Stripe, vendors and our own events."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7


class OutboxEvent(models.Model):
    """A fact that happened, written in the transaction that made it true. Never changed, except `relayed_at`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    type = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(default=1)
    subject_key = models.CharField(max_length=80)
    payload = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # The sweeper asks only for what is still to be relayed; relayed rows leave the index.
            models.Index(fields=["id"], name="outbox_unrelayed", condition=models.Q(relayed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_key}"


class ConsumedEvent(models.Model):
    """A consumer has handled an outbox event, which makes redelivery harmless; or could not yet.

    Without `consumed_at` it failed `attempts` times and is asked again at `next_at`.
    """

    id = models.BigAutoField(primary_key=True)
    consumer = models.CharField(max_length=80)
    event_id = models.UUIDField()
    consumed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    error = models.CharField(max_length=500, db_default="")
    next_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consumer", "event_id"], name="event_consumed_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="event_to_ask_again", condition=models.Q(next_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"


class InboxEvent(models.Model):
    """A verified delivery from outside, kept as received. Insert-or-ignore by (source, external_id)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.CharField(max_length=80)
    external_id = models.CharField(max_length=200)
    subject_key = models.CharField(max_length=80, blank=True)
    payload = models.JSONField(default=dict)
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="inbox_event_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="inbox_unhandled", condition=models.Q(handled_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id}"


class IdempotencyRecord(models.Model):
    """The answer once given to (key_owner, value), kept 24 hours, with the request's hash to refuse a reuse."""

    id = models.BigAutoField(primary_key=True)
    key_owner = models.CharField(max_length=80)
    value = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key_owner", "value"], name="idempotency_value_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key_owner} {self.value}"
