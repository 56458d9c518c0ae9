"""What people do at the error desk: notes on a failed record, and retries of many at once."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.sync.models.failures import RecordFailure


class NoteKind(models.TextChoices):
    COMMENT = "comment", "Commented"
    ASSIGNED = "assigned", "Assigned"
    SNOOZED = "snoozed", "Snoozed"
    WOKEN = "woken", "Brought back"
    IGNORED = "ignored", "Left as it is"
    REOPENED = "reopened", "Reopened"
    RETRIED = "retried", "Retried"
    EDITED = "edited", "Edited and retried"


class FailureNote(CustomerOwned):
    """Who did what about a failed record, and what they wrote. The team's own: customers do not see it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    failure = models.ForeignKey(RecordFailure, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=10, choices=NoteKind)
    text = models.CharField(max_length=2000, blank=True)
    by_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.by_label}: {self.kind}"


class RetryQuerySet(models.QuerySet["FailureRetry"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those in which there is nothing of anybody else's."""
        return self if actor.scope is None else self.filter(customer_ids__contained_by=sorted(actor.scope))

    def for_customer(self, customer_id: UUID) -> Self:
        return self.filter(customer_ids=[customer_id])


class FailureRetry(models.Model):
    """Many failed records tried again at one person's word. What became of them is read from the failures themselves.

    They are asked for in the background, oldest first: `asked_count` of the `failure_ids` (forgotten at the end) so far,
    and their flows run once all are (`asked_at`). `total` is exact. `left_out_count`: of integrations that did not run
    when it began. `passed_over_count`: settled, or stopped, by the time their turn came. `withdrawn_count`: put back when
    the rest was canceled. A failure belongs to the retry that asked for it last; what a later one took over had failed
    again here. `asked_by` is who asked; `stop_reason`: why the rest was given up, where nobody canceled it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer_ids = ArrayField(models.UUIDField())
    label = models.CharField(max_length=300)
    total = models.PositiveIntegerField()
    left_out_count = models.PositiveIntegerField(default=0)
    withdrawn_count = models.PositiveIntegerField(default=0)
    passed_over_count = models.PositiveIntegerField(default=0, db_default=0)
    failure_ids = ArrayField(models.UUIDField(), default=list, db_default=models.Value("{}"))
    asked_count = models.PositiveIntegerField(default=0, db_default=0)
    asked_at = models.DateTimeField(null=True)
    requested_by_label = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    canceled_at = models.DateTimeField(null=True)
    asked_by = models.JSONField()
    stop_reason = models.CharField(max_length=300, blank=True)

    objects: ClassVar[Any] = RetryQuerySet.as_manager()

    def __str__(self) -> str:
        return self.label

    @property
    def to_ask_count(self) -> int:
        """How many are not asked for yet."""
        return self.total - self.asked_count if self.asked_at is None else 0
