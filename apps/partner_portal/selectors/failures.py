"""The error desk's reads: failures grouped by cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.http import HttpRequest

from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.sync.desk import trend_of
from apps.sync.models import UNSOLVED, FailureStatus, RecordFailure
from apps.ui.paging import Page, first_page, page_queryset

CAUSE_ORDER = ("-last", "fingerprint")
MOST_SUMMED = 1000
_OPEN = Q(status=FailureStatus.OPEN)


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


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of what was looked for, however little of it a page shows."""

    cause_count: int
    record_count: int
    open_count: int


def page_of_causes(failures: QuerySet[RecordFailure], request: HttpRequest) -> tuple[Page[Any], Extent]:
    """A page of causes, and how much there is in all.

    The first page is found and summed up in one pass, unless there are so many causes that fetching them takes longer.
    """
    causes = causes_of(failures)
    if "cursor" in request.GET:
        return page_queryset(causes, request, order=CAUSE_ORDER), _extent_of(failures)
    rows = list(causes.order_by(*CAUSE_ORDER)[: MOST_SUMMED + 1])
    page = first_page(rows, request, order=CAUSE_ORDER)
    if len(rows) > MOST_SUMMED:
        return page, _extent_of(failures)
    return page, Extent(len(rows), sum(row.count for row in rows), sum(row.open_count for row in rows))


def _extent_of(failures: QuerySet[RecordFailure]) -> Extent:
    counts = {"n": Count("*"), "n_open": Count("pk", filter=_OPEN)}
    causes = failures.order_by().values("fingerprint").annotate(**counts)
    found = causes.aggregate(causes=Count("*"), records=Sum("n"), open_ones=Sum("n_open"))
    return Extent(found["causes"], found["records"] or 0, found["open_ones"] or 0)


def causes_of(failures: QuerySet[RecordFailure]) -> QuerySet[Any, Any]:
    """A row for each cause, to be paged by `CAUSE_ORDER`."""
    counted = failures.order_by().values("fingerprint").annotate(
        count=Count("*"), open_count=Count("pk", filter=_OPEN), first=Min("first_at"), last=Max("last_at")
    )  # fmt: skip
    return counted.values_list("fingerprint", "count", "open_count", "first", "last", named=True)


def describe_causes(
    rows: Collection[Any], failures: QuerySet[RecordFailure], *, seen: QuerySet[RecordFailure], now: datetime
) -> list[FailureGroup]:
    """What a page of causes shows, in a fixed number of questions. `seen`: what the trend counts."""
    fingerprints = [row.fingerprint for row in rows]
    examples = _newest_of_each(rows, failures)
    customers, assignees = _people_of(failures, fingerprints)
    trends = trend_of(seen, fingerprints, now)
    return [
        FailureGroup(
            fingerprint=row.fingerprint,
            count=row.count,
            customer_names=sorted(customers[row.fingerprint]),
            first_at=row.first,
            last_at=row.last,
            example=examples[row.fingerprint],
            assignees=sorted(assignees[row.fingerprint]),
            trend=trends[row.fingerprint],
        )
        for row in rows
        if row.fingerprint in examples
    ]


def _people_of(
    failures: QuerySet[RecordFailure], fingerprints: list[str]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By cause: names of the customers it concerns, and of the colleagues who look after it."""
    found = failures.filter(fingerprint__in=fingerprints).order_by()
    pairs = list(found.values_list("fingerprint", "customer_id", "assignee_label").distinct())
    names = dict(Customer.objects.filter(pk__in={pk for _, pk, _ in pairs}).values_list("pk", "name"))
    customers: dict[str, set[str]] = defaultdict(set)
    assignees: dict[str, set[str]] = defaultdict(set)
    for fingerprint, customer_id, label in pairs:
        customers[fingerprint].add(names[customer_id])
        if label:
            assignees[fingerprint].add(label)
    return customers, assignees


def _newest_of_each(rows: Collection[Any], failures: QuerySet[RecordFailure]) -> dict[str, RecordFailure]:
    """The moments are known already: only what failed at one of them is looked at, and only one of each is fetched."""
    moments = Q(pk=None)
    for row in rows:
        moments |= Q(fingerprint=row.fingerprint, last_at=row.last)
    newest = failures.filter(moments).order_by("fingerprint", "-last_at", "-id").distinct("fingerprint")
    ids = list(newest.values_list("pk", flat=True))
    found = RecordFailure.objects.filter(pk__in=ids).select_related("flow__integration", "connection", "customer")
    return {failure.fingerprint: failure for failure in found}


def count_by_customer(actor: Actor, customer_ids: list[UUID]) -> dict[UUID, int]:
    rows = unsolved_failures(actor).filter(customer_id__in=customer_ids).order_by().values_list("customer_id")
    # Of rows, not of ids: those the index alone can count.
    return dict(rows.annotate(count=Count("*")).values_list("customer_id", "count"))
