"""Facts for the measures, and reads of policies and reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from apps.billing.periods import period_around
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.customers.models import Customer, EnvironmentKind
from apps.flows.models import Flow
from apps.sla.measures import FlowSpan, Objective, ObjectiveKey, ObjectiveResult, RunFact, measure
from apps.sla.models import SlaAssignment, SlaPolicyVersion, SlaReport
from apps.sync.models import RunStatus, SyncRun

GOOD = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
ENDED = (*GOOD, RunStatus.FAILED)


@dataclass(frozen=True, slots=True)
class SlaMeasurement:
    """A customer's promise over `[period_start, period_end)`, measured up to `measured_to`."""

    customer_id: UUID
    policy_version: SlaPolicyVersion
    period_start: datetime
    period_end: datetime
    measured_to: datetime
    results: list[ObjectiveResult]
    run_count: int
    failed_runs: list[RunFact]

    @property
    def is_met(self) -> bool:
        return all(result.is_met for result in self.results)


def month_around(customer: Customer, instant: datetime) -> tuple[datetime, datetime]:
    """The calendar month that holds `instant`, in the customer's zone."""
    return period_around(instant, date(2000, 1, 1), customer.time_zone)


def objectives_of(version: SlaPolicyVersion) -> list[Objective]:
    return [
        Objective(
            key=ObjectiveKey(row["key"]),
            target=Decimal(row["target"]),
            threshold_seconds=int(row.get("threshold_seconds", 0)),
        )
        for row in version.objectives
    ]


def find_assignment(customer: Customer, instant: datetime) -> SlaAssignment | None:
    return (
        SlaAssignment.objects.for_customer(customer)
        .filter(starts_at__lte=instant)
        .filter(Q(ends_at=None) | Q(ends_at__gt=instant))
        .select_related("policy_version__policy")
        .first()
    )


def measure_customer(
    *, customer: Customer, policy_version: SlaPolicyVersion, period_start: datetime, period_end: datetime, now: datetime
) -> SlaMeasurement:
    """This function will measure a period, or as much of it as has passed. Production only."""
    measured_to = min(now, period_end)
    runs = _run_facts(customer, period_start, measured_to)
    return SlaMeasurement(
        customer_id=customer.pk,
        policy_version=policy_version,
        period_start=period_start,
        period_end=period_end,
        measured_to=measured_to,
        results=measure(
            objectives_of(policy_version),
            runs,
            _flow_spans(customer, period_start),
            period_start=period_start,
            period_end=measured_to,
        ),
        run_count=len(runs),
        failed_runs=[run for run in runs if not run.is_good],
    )


def month_to_date(customer: Customer, now: datetime) -> SlaMeasurement | None:
    """The running month's measurement; None for a customer without an SLA."""
    assignment = find_assignment(customer, now)
    if assignment is None:
        return None
    start, end = month_around(customer, now)
    return measure_customer(
        customer=customer, policy_version=assignment.policy_version, period_start=start, period_end=end, now=now
    )


def _ended_runs(customer: Customer) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(
        customer=customer, environment__kind=EnvironmentKind.PRODUCTION, status__in=ENDED, finished_at__isnull=False
    )


def _run_facts(customer: Customer, start: datetime, end: datetime) -> list[RunFact]:
    rows = (
        _ended_runs(customer)
        .filter(finished_at__gte=start, finished_at__lt=end)
        .order_by("finished_at", "id")
        .values_list(
            "flow_id", "started_at", "finished_at", "status",
            "created_count", "updated_count", "unchanged_count", "failed_count",
        )
    )  # fmt: skip
    return [
        RunFact(
            flow_key=str(flow_id),
            started_at=started_at or finished_at,
            ended_at=finished_at,
            is_good=status in GOOD,
            record_good_count=created + updated + unchanged,
            record_bad_count=failed,
        )
        for flow_id, started_at, finished_at, status, created, updated, unchanged, failed in rows
        if finished_at is not None
    ]


def _flow_spans(customer: Customer, start: datetime) -> list[FlowSpan]:
    before = dict(
        _ended_runs(customer)
        .filter(finished_at__lt=start, status__in=GOOD)
        .values_list("flow_id")
        .annotate(last=Max("finished_at"))
        .values_list("flow_id", "last")
    )
    flows = Flow.objects.filter(
        customer=customer,
        environment__kind=EnvironmentKind.PRODUCTION,
        is_enabled=True,
        integration__live_at__isnull=False,
    ).values_list("id", "integration__live_at")
    return [
        FlowSpan(flow_key=str(flow_id), live_from=live_at, good_before=before.get(flow_id))
        for flow_id, live_at in flows
        if live_at is not None
    ]


def list_reports(actor: Actor) -> QuerySet[SlaReport]:
    """Newest month first; without the bytes of the PDFs."""
    return (
        SlaReport.objects.visible_to(actor)
        .select_related("customer", "policy_version__policy")
        .defer("document")
        .order_by("-period_start", "-id")
    )


def get_report(actor: Actor, report_id: Any) -> SlaReport:
    """Raises NotVisible."""
    report = (
        SlaReport.objects.visible_to(actor)
        .select_related("customer", "policy_version__policy")
        .filter(pk=report_id)
        .first()
    )
    if report is None:
        raise NotVisible("There is no such report.")
    return report
