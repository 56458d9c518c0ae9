"""Measuring a customer, and reads of promises and reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.billing.periods import period_around
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.visible import get_visible
from apps.customers.models import Customer
from apps.sla.facts import Span, count_spans, thresholds_of
from apps.sla.measures import Objective, ObjectiveKey, ObjectiveResult, judge
from apps.sla.models import SlaAssignment, SlaPolicy, SlaPolicyVersion, SlaReport


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
    failed_run_count: int

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
    objectives = objectives_of(policy_version)
    span = Span(customer.pk, period_start, measured_to, thresholds_of(objectives))
    tally = count_spans([span])[customer.pk]
    return SlaMeasurement(
        customer_id=customer.pk,
        policy_version=policy_version,
        period_start=period_start,
        period_end=period_end,
        measured_to=measured_to,
        results=judge(objectives, tally),
        run_count=tally.run_total,
        failed_run_count=tally.run_total - tally.run_good,
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


def get_policy(policy_id: UUID) -> SlaPolicy:
    """Raises NotVisible."""
    return get_visible(SlaPolicy.objects.all(), policy_id, "There is no such policy.")
