from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.canonical.models import CanonicalRecord
from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.flows.models import Flow


class RemovalStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused by the system"
    DROPPED = "dropped", "Not wanted"


class Removal(CustomerOwned):
    """A deletion to be carried over to another system. Repeating it is harmless: gone is gone.

    `is_approved`: a person looked at a number of them that seemed too many.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    object_name = models.CharField(max_length=40)
    record = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=120)
    is_approved = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=RemovalStatus, default=RemovalStatus.PLANNED)
    planned_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "object_name", "record"], condition=models.Q(status="planned"), name="one_removal"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["flow"], name="removal_planned", condition=models.Q(status="planned")),
        ]

    def __str__(self) -> str:
        return f"{self.object_name} {self.external_id} {self.status}"


class ReviewStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


class DeletionReview(CustomerOwned):
    """More deletions than is likely: stopped until a person looks. At most one waits per flow and object.

    Without `is_removal` the external ids vanished from the system (a full comparison did not find them); with it they
    are about to be removed there.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    object_name = models.CharField(max_length=40)
    is_removal = models.BooleanField()
    external_ids = models.JSONField()
    count = models.PositiveIntegerField()
    total = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=ReviewStatus, default=ReviewStatus.WAITING)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["flow", "connection", "object_name", "is_removal"],
                condition=models.Q(status="waiting"),
                name="one_deletion_review",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_name}: {self.count} of {self.total}"

    @property
    def percent(self) -> int:
        return round(100 * self.count / max(self.total, 1))
