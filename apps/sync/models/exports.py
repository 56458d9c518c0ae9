from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.actor import Actor
from apps.core.ids import uuid7


class ExportKind(models.TextChoices):
    RUNS = "runs", "Runs"
    RECORDS = "records", "Records"
    CALLS = "calls", "Calls"


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    JSON_LINES = "jsonl", "JSON lines"


class ExportStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"
    EXPIRED = "expired", "Expired"


class ExportQuerySet(models.QuerySet["LogExport"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those in which there is nothing of anybody else's, and no values the actor may not see."""
        found = self if actor.can("payloads.view") else self.filter(has_payloads=False)
        if actor.scope is None:
            return found
        return found.filter(customer_ids__contained_by=sorted(actor.scope), is_limited=True)


class LogExport(models.Model):
    """A filtered part of the log as a file, made in the background and kept for a few days.

    `filters` are those of the explorer. What was logged after `through` (a log id, or a run's) is not in it, so that
    `total` is exact. `is_limited`: made by somebody who sees only `customer_ids`. `asked_by` is who asked.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=ExportKind)
    format = models.CharField(max_length=8, choices=ExportFormat)
    filters = models.JSONField(default=dict)
    is_limited = models.BooleanField(default=False)
    customer_ids = ArrayField(models.UUIDField(), default=list)
    has_payloads = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=ExportStatus, default=ExportStatus.QUEUED)
    total = models.PositiveBigIntegerField(null=True)
    done_count = models.PositiveBigIntegerField(default=0)
    byte_count = models.PositiveBigIntegerField(default=0)
    file_name = models.CharField(max_length=200, blank=True)  # in storage, under the partner's own prefix
    error = models.CharField(max_length=300, blank=True)
    requested_by_label = models.CharField(max_length=200)
    asked_by = models.JSONField()
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = ExportQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} as {self.get_format_display()}"

    @property
    def subject_key(self) -> str:
        return f"export:{self.pk}"

    @property
    def owner_key(self) -> str:
        return ""

    @property
    def is_active(self) -> bool:
        return self.status in (ExportStatus.QUEUED, ExportStatus.RUNNING)
