"""The error desk's reads: failures grouped by cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet

from apps.core.actor import Actor
from apps.sync.desk import trend_of
from apps.sync.models import UNSOLVED, RecordFailure


def unsolved_failures(actor: Actor) -> QuerySet[RecordFailure]:
    failures: QuerySet[RecordFailure] = RecordFailure.objects.visible_to(actor)
    return failures.filter(status__in=UNSOLVED)


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one cause, with the newest of them as its example. `trend`: how many began on each of 14 days."""

    fingerprint: str
    count: int
    customer_names: list[str]
    first_at: datetime
    last_at: datetime
    example: RecordFailure
    assignees: list[str]
    trend: list[int]

    @property
    def key(self) -> str:
        return self.fingerprint

    @property
    def assignees_text(self) -> str:
        return ", ".join(self.assignees)

    @property
    def customers_text(self) -> str:
        shown = ", ".join(self.customer_names[:2])
        return f"{shown} +{len(self.customer_names) - 2}" if len(self.customer_names) > 2 else shown


def group_failures(
    failures: QuerySet[RecordFailure], *, seen: QuerySet[RecordFailure], now: datetime, limit: int = 100
) -> list[FailureGroup]:
    """The causes with the newest failures first; five queries however many there are. `seen`: what the trend counts."""
    rows = list(
        failures.order_by()
        .values("fingerprint")
        .annotate(count=Count("id"), first=Min("first_at"), last=Max("last_at"))
        .order_by("-last", "fingerprint")[:limit]
    )
    fingerprints = [row["fingerprint"] for row in rows]
    examples = _newest_of_each(failures, fingerprints)
    names = _each(failures, fingerprints, "customer__name")
    assignees = _each(failures.exclude(assignee_label=""), fingerprints, "assignee_label")
    trends = trend_of(seen, fingerprints, now)
    return [
        FailureGroup(
            fingerprint=row["fingerprint"],
            count=row["count"],
            customer_names=names.get(row["fingerprint"], []),
            first_at=row["first"],
            last_at=row["last"],
            example=examples[row["fingerprint"]],
            assignees=assignees.get(row["fingerprint"], []),
            trend=trends[row["fingerprint"]],
        )
        for row in rows
        if row["fingerprint"] in examples
    ]


def _newest_of_each(failures: QuerySet[RecordFailure], fingerprints: list[str]) -> dict[str, RecordFailure]:
    newest = (
        failures.filter(fingerprint__in=fingerprints)
        .order_by("fingerprint", "-last_at", "-id")
        .distinct("fingerprint")
        .select_related("flow__integration", "connection", "customer")
    )
    return {failure.fingerprint: failure for failure in newest}


def _each(failures: QuerySet[RecordFailure], fingerprints: list[str], field: str) -> dict[str, list[str]]:
    pairs = (
        failures.filter(fingerprint__in=fingerprints)
        .order_by("fingerprint", field)
        .values_list("fingerprint", field)
        .distinct()
    )
    names: dict[str, list[str]] = {}
    for fingerprint, name in pairs:
        names.setdefault(fingerprint, []).append(name)
    return names


def count_by_customer(actor: Actor, customer_ids: list[UUID]) -> dict[UUID, int]:
    rows = unsolved_failures(actor).filter(customer_id__in=customer_ids).order_by().values_list("customer_id")
    # Of rows, not of ids: those the index alone can count.
    return dict(rows.annotate(count=Count("*")).values_list("customer_id", "count"))
