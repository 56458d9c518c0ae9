from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.flows.models import Flow, FlowVersion


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    PARTIAL = "partial", "Finished with errors"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"


class RunTrigger(models.TextChoices):
    SCHEDULE = "schedule", "Schedule"
    WEBHOOK = "webhook", "Webhook"
    EVENT = "event", "Event"
    MANUAL = "manual", "Manual"
    API = "api", "API"
    RETRY = "retry", "Retry"
    RECONCILE = "reconcile", "Full comparison"
    REFRESH = "refresh", "Full refresh"
    BACKFILL = "backfill", "Backfill"
    RECORD = "record", "Single record"


class HeldBy(models.TextChoices):
    """What a queued run waits for, besides a worker."""

    NOTHING = "", ""
    VENDOR = "vendor", "Waiting for the system"
    CIRCUIT = "circuit", "Waiting for the system to recover"
    PLACE = "place", "Waiting for a free place"
    PAUSE = "pause", "Paused"
    GUARD = "guard", "Stopped by a guard"


class SyncRun(CustomerOwned):
    """One execution of a flow version. At most one is active per flow. Counts are of records, not of calls.

    `heartbeat_at` is renewed by the worker; the reaper fails or requeues a running run whose heartbeat has stopped.
    `error_class` and `error_message` say why a failed run failed; record-level failures are `RecordFailure`s.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="runs")
    flow_version = models.ForeignKey(FlowVersion, on_delete=models.PROTECT, related_name="+")
    trigger = models.CharField(max_length=12, choices=RunTrigger)
    triggered_by_label = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.QUEUED)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    read_count = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    call_count = models.PositiveIntegerField(default=0)
    byte_count = models.PositiveBigIntegerField(default=0)
    error_class = models.CharField(max_length=20, blank=True)
    error_message = models.CharField(max_length=1000, blank=True)
    warning = models.CharField(max_length=300, blank=True)  # it went through, and yet somebody should look
    held_by = models.CharField(max_length=10, choices=HeldBy, blank=True)
    pause_requested_at = models.DateTimeField(null=True)
    guard = models.CharField(max_length=12, blank=True)  # which one stopped it (`held_by`)
    lifted_guards = models.JSONField(default=list)  # a person said "continue anyway"
    scope = models.JSONField(default=dict)  # what it was asked to read, where that is not what is new
    expected_count = models.PositiveIntegerField(null=True)  # records to read, where the vendors tell
    worked_seconds = models.FloatField(default=0)  # of the claims that ended; waiting is not work
    attempts = models.PositiveIntegerField(default=0)  # also the worker's claim: only the newest one may write
    resume_at = models.DateTimeField(null=True)  # deferred (rate limit, settling): queued until then, nothing is lost

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["flow"], condition=models.Q(status__in=["queued", "running"]), name="one_active_run"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-id"], name="run_newest_of_customer"),
            models.Index(fields=["flow", "-id"], name="run_newest_of_flow"),
            models.Index(fields=["queued_at"], name="run_queued"),  # what all customers did in the last days
            # A month of ended runs, for service levels; a running run is not in it and keeps its updates in place.
            models.Index(
                fields=["flow", "finished_at"], condition=models.Q(finished_at__isnull=False), name="run_ended_of_flow"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow} {self.status}"

    @property
    def state_label(self) -> str:
        """The status in words; of a queued run, what it waits for."""
        is_held = self.status == RunStatus.QUEUED and self.held_by
        return str(self.get_held_by_display() if is_held else self.get_status_display())

    @property
    def waits_for_person(self) -> bool:
        return self.status == RunStatus.QUEUED and self.held_by in (HeldBy.PAUSE, HeldBy.GUARD)


class RunStep(models.Model):
    """One step of a run as it went: reading a stream, deriving, writing to a sink, invoicing time."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=160)
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "position"], name="run_step_once")]

    def __str__(self) -> str:
        return self.label


class Checkpoint(models.Model):
    """How far a flow has read a stream. Written in the transaction of the page it follows."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="checkpoints")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    stream = models.CharField(max_length=40)
    position = models.JSONField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["flow", "connection", "stream"], name="checkpoint_once"),
        ]

    def __str__(self) -> str:
        return f"{self.flow} {self.stream}"
