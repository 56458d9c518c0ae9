"""Log facts: bigint ids, no foreign keys, written with COPY. Payloads stand apart, with their own retention."""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models

from apps.canonical.models import name_of
from apps.core.actor import Actor

LogRow = TypeVar("LogRow", bound=models.Model)


class LogQuerySet(models.QuerySet[LogRow]):
    def visible_to(self, actor: Actor) -> Self:
        return self if actor.scope is None else self.filter(customer_id__in=actor.scope)

    def for_customer(self, customer_id: UUID) -> Self:
        return self.filter(customer_id=customer_id)


class RecordAction(models.TextChoices):
    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"
    SKIPPED = "skipped", "Skipped"
    FAILED = "failed", "Failed"
    DELETED = "deleted", "Deleted"


class LogFact(models.Model):
    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    run_id = models.UUIDField()
    customer_id = models.UUIDField()
    environment_id = models.UUIDField()
    flow_id = models.UUIDField()
    connection_id = models.UUIDField()

    objects: ClassVar[Any] = LogQuerySet.as_manager()

    class Meta:
        abstract = True


# What the explorer finds by words. Only of what went wrong: words of every row cost as much as writing it.
RECORD_WORDS = SearchVector("title", "external_id", "error", config="simple")
# The parts of an address are words; as a whole it would be one.
_PARTS = models.Func(models.F("path"), models.Value("/?&="), models.Value("    "), function="translate")
CALL_WORDS = SearchVector(_PARTS, "error", config="simple")
# The same words, which no index has: for rows that are few already.
RECORD_WORDS_READ = SearchVector("title", "external_id", "error", models.Value(""), config="simple")
CALL_WORDS_READ = SearchVector(_PARTS, "error", models.Value(""), config="simple")
CALL_FAILED = models.Q(status__isnull=True) | models.Q(status__gte=400)


SELDOM = ("failed", "deleted", "skipped")


class RecordLog(LogFact):
    """What a run did with one record at one system. `direction` is read (into canonical) or write (to the vendor).

    `latency_ms` of a write: from the change in the source to its confirmation in the target. `error` tells a failed one's
    cause as the run saw it; what is done about it stands in `RecordFailure`.
    """

    direction = models.CharField(max_length=5)
    object_name = models.CharField(max_length=40)
    entity = models.CharField(max_length=20)
    action = models.CharField(max_length=10, choices=RecordAction)
    record_id = models.UUIDField(null=True)
    external_id = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=250, blank=True)
    changed_fields = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=1)
    latency_ms = models.BigIntegerField(null=True)
    error_class = models.CharField(max_length=20, blank=True, db_default="")
    error = models.CharField(max_length=1000, blank=True, db_default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["entity", "-id"], name="record_log_of_entity"),
            # Seldom enough that the newest of them may lie far back.
            models.Index(fields=["action", "-id"], name="record_log_seldom", condition=models.Q(action__in=SELDOM)),
            models.Index(fields=["error_class", "-id"], name="record_log_failed", condition=models.Q(action="failed")),
            GinIndex(RECORD_WORDS, name="record_log_words", condition=models.Q(action="failed")),
            models.Index(fields=["customer_id", "-id"], name="record_log_newest"),
            models.Index(fields=["run_id", "id"], name="record_log_of_run"),
            models.Index(fields=["record_id", "-id"], name="record_log_of_record"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.action} {self.object_name}"

    @property
    def name(self) -> str:
        return name_of(self.entity, self.title, self.external_id)


class RecordPayload(models.Model):
    """The field diff behind a log fact: {field: [before, after]}, redacted. Kept shorter than the fact."""

    log = models.OneToOneField(
        RecordLog, primary_key=True, db_constraint=False, on_delete=models.DO_NOTHING, related_name="payload"
    )
    diff = models.JSONField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"payload of {self.pk}"


class VendorCall(LogFact):
    """One HTTP call to a vendor: no headers, no bodies, secrets redacted from the path."""

    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField()
    response_bytes = models.PositiveIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=1)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["customer_id", "-id"], name="vendor_call_of_customer"),
            models.Index(fields=["-id"], name="vendor_call_failed", condition=CALL_FAILED),
            models.Index(fields=["status", "-id"], name="vendor_call_answer", condition=CALL_FAILED),
            GinIndex(CALL_WORDS, name="vendor_call_words", condition=CALL_FAILED),
            models.Index(fields=["run_id", "id"], name="vendor_call_of_run"),
            models.Index(fields=["connection_id", "-id"], name="vendor_call_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
