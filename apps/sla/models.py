"""Promises, and how well they were kept."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models.functions import Lower

from apps.core.ids import uuid7
from apps.customers.models import Customer, OwnedQuerySet


class SlaPolicy(models.Model):
    """A named promise over a chain of versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="sla_policy_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"sla_policy:{self.pk}"

    @property
    def owner_key(self) -> str:
        return ""


class SlaPolicyVersion(models.Model):
    """The objectives from one moment on; immutable once in force.

    `objectives` is a list of {key: run_success|record_success|freshness, target: decimal string (percent),
    threshold_seconds?: int}.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    policy = models.ForeignKey(SlaPolicy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    objectives = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["policy", "number"], name="sla_version_once")]

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"


class SlaAssignment(models.Model):
    """From `starts_at` until `ends_at` this version is promised to this customer. Assignments do not overlap."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    policy_version = models.ForeignKey(SlaPolicyVersion, on_delete=models.PROTECT, related_name="assignments")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer"], condition=models.Q(ends_at=None), name="one_current_sla"),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.policy_version}"


class SlaReport(models.Model):
    """A month of a customer as measured when it was closed: facts, with the PDF as sent. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    policy_version = models.ForeignKey(SlaPolicyVersion, on_delete=models.PROTECT, related_name="+")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    results = models.JSONField()
    is_met = models.BooleanField()
    computed_at = models.DateTimeField()
    document = models.BinaryField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "period_start"], name="sla_report_once"),
        ]

    def __str__(self) -> str:
        month = self.period_start.astimezone(ZoneInfo(self.customer.time_zone))
        return f"{self.customer} {month:%Y-%m}"

    @property
    def subject_key(self) -> str:
        return f"sla_report:{self.pk}"

    @property
    def owner_key(self) -> str:
        return f"customer:{self.customer_id}"
