"""What a partner keeps of its log, how long, and what was cleared away."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.ids import uuid7


class LogClass(models.TextChoices):
    """Payloads are the values behind a fact; they may go while the fact stays."""

    PAYLOADS = "payloads", "Field values of records"
    RECORDS = "records", "Records: what was done, and the error"
    CALLS = "calls", "Calls to the systems"
    RUNS = "runs", "Runs and their counts"


class LogSettings(models.Model):
    """One row; a partner without it keeps to the defaults.

    `hidden_fields` are rules such as `email` or `contact.*phone*`. `days` maps a log class to {"success": days,
    "failure": days}. `purged_through` is how far each has been cleared: the highest id looked at. `purges` are the last
    passes, newest first: {"at": moment, "counts": {"records.success": rows deleted, …}}.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    is_only = models.BooleanField(default=True, unique=True)
    hidden_fields = ArrayField(models.CharField(max_length=80), default=list)
    keeps_payloads = models.BooleanField(default=True)
    payload_free_connections = ArrayField(models.UUIDField(), default=list)
    days = models.JSONField(default=dict)
    purged_through = models.JSONField(default=dict)
    purges = models.JSONField(default=list)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(is_only=True), name="one_log_settings")]

    def __str__(self) -> str:
        return "Log settings"
