from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.flows.models import Flow


class ErrorClass(models.TextChoices):
    AUTH = "auth", "Authorization"
    RATE_LIMIT = "rate_limit", "Rate limit"
    VALIDATION = "validation", "Refused by the system"
    MAPPING = "mapping", "Mapping"
    MISSING_REFERENCE = "missing_reference", "Missing reference"
    CONFLICT = "conflict", "Conflict"
    VENDOR_DOWN = "vendor_down", "System unavailable"
    BUSINESS_RULE = "business_rule", "Business rule"
    UNCERTAIN = "uncertain", "Outcome unknown"
    INTERNAL = "internal", "Internal"


class FailureStatus(models.TextChoices):
    OPEN = "open", "Open"
    RETRYING = "retrying", "Retrying"
    RESOLVED = "resolved", "Resolved"
    IGNORED = "ignored", "Ignored"


UNSOLVED = (FailureStatus.OPEN, FailureStatus.RETRYING)


class RecordFailure(CustomerOwned):
    """A record that could not be brought into step while its run went on (dead letter). Open until it later succeeds.

    `subject` names the failing side: the source object when reading failed, the target object when writing failed.
    `fingerprint` groups failures of one cause. Snoozed: out of sight until `snoozed_until`, or until it has been tried
    `snoozed_attempts` times; it is still tried again like any other.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="failures")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    run_id = models.UUIDField()
    direction = models.CharField(max_length=5)  # read | write
    object_name = models.CharField(max_length=40)
    external_id = models.CharField(max_length=120, blank=True)
    record_id = models.UUIDField(null=True)
    record_title = models.CharField(max_length=250, blank=True)
    error_class = models.CharField(max_length=20, choices=ErrorClass)
    code = models.CharField(max_length=80, blank=True)
    message = models.CharField(max_length=1000)
    fingerprint = models.CharField(max_length=32)
    payload = models.JSONField(null=True)
    status = models.CharField(max_length=10, choices=FailureStatus, default=FailureStatus.OPEN)
    attempts = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by_label = models.CharField(max_length=200, blank=True)
    ignore_reason = models.CharField(max_length=300, blank=True)
    assignee_id = models.UUIDField(null=True)  # a colleague's user id
    assignee_label = models.CharField(max_length=200, blank=True, db_default="")
    snoozed_until = models.DateTimeField(null=True)
    snoozed_attempts = models.PositiveIntegerField(null=True)
    retry = models.ForeignKey(
        "sync.FailureRetry",
        null=True,
        on_delete=models.SET_NULL,
        related_name="failures",
        db_constraint=False,
        db_index=False,
    )  # the bulk retry that asked for it last

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["flow", "connection", "direction", "object_name", "external_id", "record_id"],
                condition=models.Q(status__in=["open", "retrying"]),
                nulls_distinct=False,
                name="one_open_failure",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "status", "-last_at"], name="failure_newest"),
            models.Index(fields=["retry", "status"], condition=models.Q(retry__isnull=False), name="failure_of_retry"),
            models.Index(fields=["fingerprint", "-first_at"], name="failure_of_cause"),
            # The desk counts and pages causes without touching the rows.
            models.Index(
                fields=["fingerprint", "-last_at", "-id"], name="failure_unsolved",
                include=["customer", "status", "first_at", "attempts", "snoozed_until", "snoozed_attempts", "assignee_label"],
                condition=models.Q(status__in=["open", "retrying"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.object_name} {self.error_class}"

    @property
    def name(self) -> str:
        """What people call the record; what says nothing by itself is said with the object: “Time entry 2”."""
        title = self.record_title or self.external_id
        if any(sign.isalpha() for sign in title):
            return title
        words = self.object_name.replace("_", " ")
        one = f"{words[:-3]}y" if words.endswith("ies") else words.removesuffix("s")
        return f"{one[:1].upper()}{one[1:]} {title}".strip()
