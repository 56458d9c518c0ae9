"""What the old interface produced, held against what the engine produced, record by record."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from django.db import models

from apps.canonical.models import Entity
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned, OwnedQuerySet
from apps.flows.models import Integration
from apps.modernization.comparison import Comparison
from apps.modernization.models.estate import LegacyInterface


class ParallelStatus(models.TextChoices):
    DRAFT = "draft", "Being set up"
    QUEUED = "queued", "Waiting to start"
    RUNNING = "running", "Comparing"
    DONE = "done", "Compared"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Stopped"


class DifferenceKind(models.TextChoices):
    DIFFERENT = "different", "Different"
    ONLY_OLD = "only_old", "Only in the old result"
    ONLY_NEW = "only_new", "Only in the new result"
    TWICE_OLD = "twice_old", "More than once in the old result"
    TWICE_NEW = "twice_new", "More than once in the new result"
    UNREADABLE = "unreadable", "Row cannot be read"


ACTIVE = (ParallelStatus.QUEUED, ParallelStatus.RUNNING)


class ParallelRunManager(models.Manager["ParallelRun"]):
    def get_queryset(self) -> OwnedQuerySet[Any]:
        """Without the file, which is megabytes and only the comparison reads."""
        return OwnedQuerySet(self.model, using=self._db).defer("content")

    def visible_to(self, actor: Any) -> OwnedQuerySet[Any]:
        return self.get_queryset().visible_to(actor)

    def for_customer(self, customer: Any) -> OwnedQuerySet[Any]:
        return self.get_queryset().for_customer(customer)


class ParallelRun(CustomerOwned):
    """One comparison. `content` is the old result, a compressed file; `comparison` says how it is read and compared.

    Every row of the file is counted once: equal, different, only old, more than once, unreadable or outside the period;
    and so is every record: equal, different, only new or more than once. `finding_count` counts what is to be looked
    at, a different record once for each field; the first `LISTED` of them are rows of their own. `attempt` is the
    worker's claim: only the newest one may write. `asked_by` is who asked. `integration` is whose records were the new
    result: it proves nothing about another one that replaces the interface later.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    interface = models.ForeignKey(LegacyInterface, on_delete=models.CASCADE, related_name="parallel_runs")
    integration = models.ForeignKey(Integration, null=True, on_delete=models.SET_NULL, related_name="+")
    entity = models.CharField(max_length=20, choices=Entity, blank=True)
    file_name = models.CharField(max_length=200)
    file_bytes = models.PositiveIntegerField()
    row_count = models.PositiveIntegerField()
    content = models.BinaryField()  # empty where it is not kept any more
    comparison = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=ParallelStatus, default=ParallelStatus.DRAFT)
    attempt = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    old_count = models.PositiveIntegerField(default=0)
    new_count = models.PositiveIntegerField(default=0)
    equal_count = models.PositiveIntegerField(default=0)
    different_count = models.PositiveIntegerField(default=0)
    only_old_count = models.PositiveIntegerField(default=0)
    only_new_count = models.PositiveIntegerField(default=0)
    twice_old_count = models.PositiveIntegerField(default=0)
    twice_new_count = models.PositiveIntegerField(default=0)
    unreadable_count = models.PositiveIntegerField(default=0)
    outside_count = models.PositiveIntegerField(default=0)
    finding_count = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    requested_at = models.DateTimeField()
    requested_by_label = models.CharField(max_length=200)
    asked_by = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = ParallelRunManager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["interface", "-id"], name="parallel_run_newest")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def subject_key(self) -> str:
        return f"parallel_run:{self.pk}"

    @property
    def rules(self) -> Comparison:
        return msgspec.convert(self.comparison, Comparison, strict=False)

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


class ParallelDifference(models.Model):
    """Something one side says and the other does not: one field of a record, a whole record, or a row of the file.

    `old` and `new` are texts as people compare them; of a whole record, its fields. `digest` covers kind, key, field and
    both values: who accepted it once need not do so again in a later run. Written by the comparison alone.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ParallelRun, on_delete=models.CASCADE, related_name="differences", db_index=False)
    kind = models.CharField(max_length=10, choices=DifferenceKind)
    key = models.CharField(max_length=300)
    field = models.CharField(max_length=60, blank=True)
    old = models.TextField(blank=True)
    new = models.TextField(blank=True)
    line = models.PositiveIntegerField(null=True)
    record_id = models.UUIDField(null=True)
    digest = models.CharField(max_length=32)
    accepted_at = models.DateTimeField(null=True)
    accepted_by_label = models.CharField(max_length=200, blank=True)
    accept_reason = models.CharField(max_length=300, blank=True)
    is_remembered = models.BooleanField(default=False)  # accepted in an earlier run

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["run", "kind", "field", "id"], name="parallel_difference_of_run"),
            models.Index(
                fields=["digest"], name="parallel_difference_known", condition=models.Q(accepted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.key}"
