from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet

from apps.canonical.models import CanonicalChange, CanonicalRecord, CrossReference
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.sync.explanations import Explanation, explain_failure
from apps.sync.models import (
    ApprovalRequest,
    DeletionReview,
    FailureStatus,
    RecordFailure,
    RecordLog,
    ReviewStatus,
    RuleNotice,
    RunStatus,
    SyncRun,
    VendorCall,
)

OPEN = [FailureStatus.OPEN, FailureStatus.RETRYING]
__all__ = [
    "Explanation",
    "FailureGroup",
    "RecordTimeline",
    "RunProgress",
    "TimelineEntry",
    "explain_failure",
    "get_failure",
    "get_record",
    "get_run",
    "group_failures",
    "list_connection_calls",
    "list_failures",
    "list_record_logs",
    "list_records",
    "list_runs",
    "list_vendor_calls",
    "record_timeline",
    "run_progress",
]  # fmt: skip


def list_runs(actor: Actor) -> QuerySet[SyncRun]:
    """Newest first."""
    visible = SyncRun.objects.visible_to(actor)
    return visible.select_related("flow__integration", "customer", "environment", "flow_version").order_by("-id")


def get_run(actor: Actor, run_id: UUID) -> SyncRun:
    """Raises NotVisible."""
    return get_visible(list_runs(actor), run_id, "There is no such run.")


def list_record_logs(
    actor: Actor,
    *,
    customer_id: UUID | None = None,
    run_id: UUID | None = None,
    flow_id: UUID | None = None,
    record_id: UUID | None = None,
    entity: str = "",
    action: str = "",
    text: str = "",
) -> QuerySet[RecordLog]:
    """Newest first. `text` looks into titles and external ids."""
    exact = {
        "customer_id": customer_id, "run_id": run_id, "flow_id": flow_id, "record_id": record_id, "entity": entity,
        "action": action,
    }  # fmt: skip
    found = RecordLog.objects.visible_to(actor).filter(**{name: value for name, value in exact.items() if value})
    if text:
        found = found.filter(title__icontains=text) | found.filter(external_id=text)
    return found.order_by("-id")


def list_vendor_calls(actor: Actor, run: SyncRun) -> QuerySet[VendorCall]:
    return VendorCall.objects.visible_to(actor).filter(run_id=run.pk).order_by("id")


def list_connection_calls(actor: Actor, connection: Connection) -> QuerySet[VendorCall]:
    """Newest first."""
    return VendorCall.objects.visible_to(actor).filter(connection_id=connection.pk).order_by("-id")


def list_failures(actor: Actor) -> QuerySet[RecordFailure]:
    """Newest first, settled ones too: filter by `status`."""
    visible = RecordFailure.objects.visible_to(actor)
    return visible.select_related("flow__integration", "connection", "customer").order_by("-last_at", "-id")


def get_failure(actor: Actor, failure_id: UUID) -> RecordFailure:
    """Raises NotVisible."""
    return get_visible(list_failures(actor), failure_id, "There is no such entry.")


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Open failures of one cause; `sample` is the newest of them."""

    fingerprint: str
    count: int
    first_at: datetime
    last_at: datetime
    sample: RecordFailure
    explanation: Explanation


def group_failures(actor: Actor, *, customer_id: UUID | None = None, limit: int | None = None) -> list[FailureGroup]:
    """Open failures by cause, the most frequent first."""
    open_ones = RecordFailure.objects.visible_to(actor).filter(status__in=OPEN)
    if customer_id:
        open_ones = open_ones.filter(customer_id=customer_id)
    groups = open_ones.values("customer_id", "fingerprint").annotate(
        count=Count("id"), first=Min("first_at"), last=Max("last_at")
    )
    rows = list(groups.order_by("-count", "-last", "customer_id", "fingerprint")[:limit])
    newest = open_ones.filter(fingerprint__in={row["fingerprint"] for row in rows}).distinct(
        "customer_id", "fingerprint"
    )
    ids = list(newest.order_by("customer_id", "fingerprint", "-last_at", "-id").values_list("pk", flat=True))
    whole = RecordFailure.objects.filter(pk__in=ids).select_related("flow__integration", "connection", "customer")
    samples = {(failure.customer_id, failure.fingerprint): failure for failure in whole}
    found = []
    for row in rows:
        sample = samples[row["customer_id"], row["fingerprint"]]
        found.append(
            FailureGroup(row["fingerprint"], row["count"], row["first"], row["last"], sample, explain_failure(sample))
        )
    return found


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run as it goes. `per_second` over what it has worked so far; `waits_until` while it is put off.

    `expected_count` and `eta_seconds` are of the records to read; None where the systems do not tell how many.
    """

    status: str
    is_active: bool
    read_count: int
    written_count: int
    failed_count: int
    per_second: float
    elapsed: timedelta
    current_step: str
    waits_until: datetime | None
    expected_count: int | None = None
    eta_seconds: float | None = None

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self.elapsed.total_seconds()


def run_progress(run: SyncRun, now: datetime) -> RunProgress:
    started = run.started_at or run.queued_at
    elapsed = (run.finished_at or now) - started
    step = run.steps.order_by("-position").first()
    # Waiting is no work: what it did before, and since its last turn began.
    is_working = run.status == RunStatus.RUNNING
    worked = run.worked_seconds if run.worked_seconds and not is_working else elapsed.total_seconds()
    rate = run.read_count / max(worked, 0.001)
    expected = run.expected_count if run.expected_count and run.expected_count > run.read_count else None
    return RunProgress(
        status=run.status,
        is_active=run.status in (RunStatus.QUEUED, RunStatus.RUNNING),
        read_count=run.read_count,
        written_count=run.created_count + run.updated_count,
        failed_count=run.failed_count,
        per_second=round(rate, 1),
        elapsed=elapsed,
        current_step=step.label if step else "",
        waits_until=run.resume_at,
        expected_count=expected,
        eta_seconds=(expected - run.read_count) / rate if expected and rate and is_working else None,
    )


def list_deletion_reviews(actor: Actor) -> QuerySet[DeletionReview]:
    """Waiting ones, the newest first."""
    visible = DeletionReview.objects.visible_to(actor).filter(status=ReviewStatus.WAITING)
    return visible.select_related("customer", "connection", "flow__integration").order_by("-asked_at", "-id")


def get_deletion_review(actor: Actor, review_id: UUID) -> DeletionReview:
    """Raises NotVisible."""
    return get_visible(list_deletion_reviews(actor), review_id, "There is no such question; perhaps it is answered.")


def list_records(actor: Actor) -> QuerySet[CanonicalRecord]:
    """Canonical records, the newest change first."""
    return CanonicalRecord.objects.visible_to(actor).order_by("-changed_at", "-id")


def get_record(actor: Actor, record_id: UUID) -> CanonicalRecord:
    """Raises NotVisible."""
    return get_visible(list_records(actor), record_id, "There is no such record.")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One change of the record, or one write of it to a system. `fields` is {field: [before, after]}."""

    at: datetime
    kind: str  # changed | created | updated | failed
    system: str
    fields: dict[str, list[object]]
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class RecordTimeline:
    """Everything that happened to a record over all systems, newest first, and where it lives."""

    entries: list[TimelineEntry]
    references: list[CrossReference]


def record_timeline(actor: Actor, record: CanonicalRecord, *, limit: int = 100) -> RecordTimeline:
    actor.require_sight(record.customer_id, "There is no such record.")
    references = list(record.cross_references.select_related("connection").order_by("connection__name", "object_name"))
    names = {reference.connection_id: reference.connection.name for reference in references}
    changes = CanonicalChange.objects.filter(record=record).select_related("connection").order_by("-id")[:limit]
    entries = [
        TimelineEntry(
            change.at, "changed", change.connection.name if change.connection else "", change.fields, change.run_id
        )
        for change in changes
    ]
    logs = RecordLog.objects.visible_to(actor).filter(record_id=record.pk, direction="write")
    for log in logs.select_related("payload").order_by("-id")[:limit]:
        diff = log.payload.diff if hasattr(log, "payload") else {}
        entries.append(TimelineEntry(log.at, log.action, names.get(log.connection_id, ""), diff, log.run_id))
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return RecordTimeline(entries[:limit], references)


def list_approvals(actor: Actor) -> QuerySet[ApprovalRequest]:
    """What waits or waited for a person, the newest first; filter by `status`."""
    visible = ApprovalRequest.objects.visible_to(actor).select_related("customer", "flow")
    found: QuerySet[ApprovalRequest] = visible.order_by("-asked_at", "-id")
    return found


def get_approval(actor: Actor, approval_id: UUID) -> ApprovalRequest:
    """Raises NotVisible."""
    return get_visible(list_approvals(actor), approval_id, "There is no such request.")


def list_notices(actor: Actor) -> QuerySet[RuleNotice]:
    """What rules told people, the newest first."""
    visible = RuleNotice.objects.visible_to(actor).select_related("customer", "flow")
    found: QuerySet[RuleNotice] = visible.order_by("-created_at", "-id")
    return found
