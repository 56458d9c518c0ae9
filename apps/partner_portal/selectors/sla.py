"""Month to date of many customers at once: the measures of the sla room over facts gathered in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.cache import cache
from django.db.models import F, FloatField, Func, OuterRef, Q, Subquery

from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.flows.models import Flow
from apps.sla.measures import FlowSpan, ObjectiveResult, RunFact, measure
from apps.sla.models import SlaAssignment
from apps.sla.selectors import ENDED, GOOD, month_around, objectives_of
from apps.sla.words import name_objective
from apps.sync.models import SyncRun
from apps.ui.status import Status, Tone

NEARLY_SPENT = Decimal(25)
# Thousands of runs: as arrays of numbers, one row per flow, they are read many times faster than row by row.
_ENDED = Func(F("finished_at"), template="extract(epoch FROM %(expressions)s)::float8", output_field=FloatField())
_DONE = F("created_count") + F("updated_count") + F("unchanged_count")


@dataclass(frozen=True, slots=True)
class SlaStanding:
    """The running month of one customer; `results` in the order of the policy."""

    customer: Customer
    assignment: SlaAssignment
    period_start: datetime
    period_end: datetime
    results: list[ObjectiveResult]

    @property
    def worst(self) -> ObjectiveResult | None:
        """The objective with the least budget left; those without anything measured come last."""
        measured = [result for result in self.results if result.achieved is not None]
        return min(
            measured, key=lambda r: (r.is_met, r.budget_left if r.budget_left is not None else 100), default=None
        )

    @property
    def is_met(self) -> bool:
        return all(result.is_met for result in self.results)

    @property
    def status(self) -> Status:
        if self.worst is None:
            return Status("No data yet", Tone.IDLE, Tone.IDLE.icon)
        if not self.is_met:
            return Status("Missed so far", Tone.FAILING, Tone.FAILING.icon)
        if self.is_at_risk:
            return Status("At risk", Tone.ATTENTION, Tone.ATTENTION.icon)
        return Status("On track", Tone.OK, Tone.OK.icon)

    @property
    def is_at_risk(self) -> bool:
        worst = self.worst
        return worst is not None and worst.budget_left is not None and worst.budget_left < NEARLY_SPENT

    @property
    def summary(self) -> str:
        worst = self.worst
        if worst is None:
            return ""
        name = name_objective(worst.key, worst.threshold_seconds)
        return f"{name}: {worst.achieved} % of {worst.target.normalize():f} %"


def standings(actor: Actor, customers: Iterable[Customer], now: datetime) -> dict[UUID, SlaStanding]:
    """Customers without a promise are left out. Three queries for any number of them."""
    assignments = _current_assignments(actor, [customer.pk for customer in customers], now)
    return _stand(assignments, _measured(actor, assignments, now), now)


def recent_standings(actor: Actor, customers: Iterable[Customer], now: datetime) -> dict[UUID, SlaStanding]:
    """As `standings`, up to `SLA_STANDING_SECONDS` old: a list of all customers would count the month's runs each time."""
    assignments = _current_assignments(actor, [customer.pk for customer in customers], now)
    keys = {_kept_as(found, now): pk for pk, found in assignments.items()}
    results = {keys[key]: kept for key, kept in cache.get_many(keys).items()}
    missing = {pk: found for pk, found in assignments.items() if pk not in results}
    if missing:
        measured = _measured(actor, missing, now)
        results |= measured
        if settings.SLA_STANDING_SECONDS:
            kept = {_kept_as(missing[pk], now): found for pk, found in measured.items()}
            cache.set_many(kept, settings.SLA_STANDING_SECONDS)
    return _stand(assignments, results, now)


def _stand(
    assignments: dict[UUID, SlaAssignment], results: dict[UUID, list[ObjectiveResult]], now: datetime
) -> dict[UUID, SlaStanding]:
    return {
        pk: SlaStanding(found.customer, found, *month_around(found.customer, now), results[pk])
        for pk, found in assignments.items()
    }


def _kept_as(assignment: SlaAssignment, now: datetime) -> str:
    """A new promise, or a new version of it, is a new assignment; a new month begins anew in the customer's zone."""
    start, _ = month_around(assignment.customer, now)
    return f"sla-standing:{assignment.pk}:{start:%Y%m%d}"


def _measured(actor: Actor, assignments: dict[UUID, SlaAssignment], now: datetime) -> dict[UUID, list[ObjectiveResult]]:
    if not assignments:
        return {}
    months = {pk: month_around(found.customer, now) for pk, found in assignments.items()}
    first = min(start for start, _ in months.values())
    runs, goods = _run_facts(actor, list(assignments), first, now)
    spans = _flow_spans(actor, list(assignments), first)
    found = {}
    for pk, assignment in assignments.items():
        start, end = months[pk]
        own = [run for run in runs[pk] if start <= run.ended_at < end]
        found[pk] = measure(
            objectives_of(assignment.policy_version), own, _since(spans[pk], goods, start), period_start=start,
            period_end=min(now, end),
        )  # fmt: skip
    return found


def _current_assignments(actor: Actor, customer_ids: list[UUID], now: datetime) -> dict[UUID, SlaAssignment]:
    rows = (
        SlaAssignment.objects.visible_to(actor)
        .filter(customer_id__in=customer_ids, starts_at__lte=now, ends_at=None)
        .select_related("customer", "policy_version__policy")
        .order_by("customer__name")
    )
    return {row.customer_id: row for row in rows}


def _run_facts(
    actor: Actor, customer_ids: list[UUID], start: datetime, end: datetime
) -> tuple[dict[UUID, list[RunFact]], dict[str, list[datetime]]]:
    runs = SyncRun.objects.visible_to(actor).production()
    rows = (
        runs.filter(customer_id__in=customer_ids, status__in=ENDED, finished_at__gte=start, finished_at__lt=end)
        .order_by()
        .values_list("customer_id", "flow_id")
        .annotate(ended=_all(_ENDED), good=_all(Q(status__in=GOOD)), done=_all(_DONE), failed=_all(F("failed_count")))
    )
    facts: dict[UUID, list[RunFact]] = defaultdict(list)
    goods: dict[str, list[datetime]] = {}
    for customer_id, flow_id, *arrays in rows:
        own = [_fact(str(flow_id), *values) for values in zip(*arrays, strict=True)]
        facts[customer_id] += own
        goods[str(flow_id)] = [fact.ended_at for fact in own if fact.is_good]
    return facts, goods


def _all(expression: Any) -> ArrayAgg:
    return ArrayAgg(expression, order_by=("finished_at", "id"))


def _fact(flow_key: str, ended: float, is_good: bool, done: int, failed: int) -> RunFact:
    """The month to date asks nothing about when a run began."""
    at = datetime.fromtimestamp(ended, UTC)
    return RunFact(
        flow_key=flow_key, started_at=at, ended_at=at, is_good=is_good, record_good_count=done, record_bad_count=failed
    )


def _flow_spans(actor: Actor, customer_ids: list[UUID], before: datetime) -> dict[UUID, list[FlowSpan]]:
    # A flow has one run at a time: the newest by id is the newest by end.
    earlier = SyncRun.objects.filter(flow=OuterRef("pk"), finished_at__lt=before, status__in=GOOD).order_by("-id")
    flows = (
        Flow.objects.visible_to(actor)
        .production()
        .filter(customer_id__in=customer_ids, is_enabled=True, integration__live_at__isnull=False)
        .values_list("customer_id", "id", "integration__live_at", Subquery(earlier.values("finished_at")[:1]))
    )
    spans: dict[UUID, list[FlowSpan]] = defaultdict(list)
    for customer_id, flow_id, live_at, good_before in flows:
        spans[customer_id].append(FlowSpan(flow_key=str(flow_id), live_from=live_at, good_before=good_before))
    return spans


def _since(spans: list[FlowSpan], goods: dict[str, list[datetime]], start: datetime) -> list[FlowSpan]:
    """A month that begins later in the customer's zone has good runs of its own before it."""
    moved = []
    for span in spans:
        earlier = [instant for instant in goods.get(span.flow_key, []) if instant < start]
        last = max(earlier, default=span.good_before)
        moved.append(FlowSpan(flow_key=span.flow_key, live_from=span.live_from, good_before=last))
    return moved
