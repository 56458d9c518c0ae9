"""What rules ask of people: to release a record before it is written, and to know of something."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from apps.connectors.sdk.entities import in_order
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.flows.models import Flow


class ApprovalStatus(models.TextChoices):
    OPEN = "open", "Waiting"
    RELEASED = "released", "Released"
    REJECTED = "rejected", "Rejected"
    CHANGED = "changed", "Changed before anybody decided"


class ApprovalRequest(CustomerOwned):
    """A record that waits for a person before it is written. The decision holds for the record as it was shown.

    `step` is the approval's key in the flow. `shown` are the fields at the time of asking, `digest` stands for them: a
    record that changed in them asks again. `audience`: the partner's people or the customer's.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="approvals")
    step = models.CharField(max_length=60)
    audience = models.CharField(max_length=10, choices=[("partner", "Partner"), ("customer", "Customer")])
    question = models.CharField(max_length=300)
    record_id = models.UUIDField()
    entity = models.CharField(max_length=20)
    title = models.CharField(max_length=250)
    target = models.CharField(max_length=120)  # the system it will be written to, by name
    shown = models.JSONField()
    digest = models.CharField(max_length=32)
    status = models.CharField(max_length=10, choices=ApprovalStatus, default=ApprovalStatus.OPEN)
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by_label = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["flow", "step", "record_id"], condition=models.Q(status="open"), name="one_open_approval"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["flow", "step", "record_id", "-asked_at"], name="approval_newest_of_record"),
            models.Index(fields=["customer", "-id"], condition=models.Q(status="open"), name="approval_open"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_partners(self) -> bool:
        return self.audience == "partner"

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """What is released, field by field, as people read it."""
        return [
            (name.replace("_", " ").capitalize(), value) for name, value in in_order(self.entity, self.shown).items()
        ]


class RuleNotice(CustomerOwned):
    """What a rule told people about a record: once for each version of it (or once at all: `version` 0)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="notices")
    step = models.CharField(max_length=60)
    record_id = models.UUIDField()
    version = models.PositiveIntegerField()
    roles = models.JSONField()
    subject = models.CharField(max_length=250)
    text = models.CharField(max_length=2000)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["flow", "step", "record_id", "version"], name="notice_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["customer", "-id"], name="notice_newest_of_customer")]

    def __str__(self) -> str:
        return self.subject
