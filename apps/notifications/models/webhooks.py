"""Outgoing webhooks: who wants to hear what, what was sent, and how each attempt went."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.actor import Actor
from apps.core.ids import uuid7

KEPT_ATTEMPTS = 50


class EndpointStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    DISABLED = "disabled", "Switched off"


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def visible_to(self, actor: Actor) -> Self:
        return self if actor.scope is None else self.filter(customer_id__in=actor.scope)


class WebhookEndpoint(models.Model):
    """An address that is told of events. With a `customer_id` (opaque here) it hears of that customer alone.

    No `events` means all of them, also those to come. `failing_since` is the first failed attempt since anything was
    accepted; an endpoint that fails for days, or says that it is gone, is disabled. While it is paused or disabled
    nothing is queued for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer_id = models.UUIDField(null=True, db_index=True)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=160, blank=True)
    events = ArrayField(models.CharField(max_length=80), default=list)
    contact_email = models.EmailField(blank=True)
    status = models.CharField(max_length=10, choices=EndpointStatus, default=EndpointStatus.ACTIVE)
    status_reason = models.CharField(max_length=300, blank=True)
    failing_since = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(null=True)  # after several failures in a row nothing is attempted for a while
    created_at = models.DateTimeField()
    created_by_label = models.CharField(max_length=200)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], name="webhook_endpoint_active", condition=models.Q(status="active")),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def subject_key(self) -> str:
        return f"webhook_endpoint:{self.pk}"

    @property
    def owner_key(self) -> str:
        return f"customer:{self.customer_id}" if self.customer_id else ""

    def wants(self, event_type: str) -> bool:
        return not self.events or event_type in self.events


class WebhookSecret(models.Model):
    """What an endpoint's deliveries are signed with. After a rotation the older one signs too until `expires_at`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}"


class DeliveryStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Not delivered"
    WITHDRAWN = "withdrawn", "Withdrawn"


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def visible_to(self, actor: Actor) -> Self:
        return self if actor.scope is None else self.filter(endpoint__customer_id__in=actor.scope)

    def due(self, at: datetime) -> Self:
        return self.filter(status=DeliveryStatus.WAITING, next_at__lte=at)


class WebhookDelivery(models.Model):
    """One event for one endpoint. `message_id` stays the same over attempts and replays: receivers drop repeats by it.

    `body` is what is sent and signed, byte for byte. `next_at` is when it is due; while an attempt runs it lies ahead,
    so that a second worker leaves it alone and a dead one's attempt is made again. `attempt_count` starts anew with a
    replay; `log` keeps the last attempts, also those made before.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=80)
    body = models.TextField()
    is_test = models.BooleanField(default=False)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.WAITING)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)
    log = models.JSONField(default=list)  # [{at, status, error, excerpt, duration_ms}]; no status: no answer

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_once_per_event"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_newest"),
            models.Index(fields=["endpoint", "next_at", "id"], name="webhook_delivery_due", condition=models.Q(status="waiting")),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.event_type} {self.message_id}"

    @property
    def message_id(self) -> str:
        return f"evt_{self.event_id.hex}"

    def note(self, attempt: dict[str, Any]) -> None:
        """The row is not saved."""
        self.log = [*self.log, attempt][-KEPT_ATTEMPTS:]
