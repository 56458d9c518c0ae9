"""Month to date of many customers at once: the measures of the sla room over facts gathered in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.sla.facts import Span, count_spans, thresholds_of
from apps.sla.measures import ObjectiveResult, judge
from apps.sla.models import SlaAssignment
from apps.sla.selectors import month_around, objectives_of
from apps.sla.words import name_objective
from apps.ui.status import Status, Tone

NEARLY_SPENT = Decimal(25)


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
        return f"{name} {worst.achieved} %, target {worst.target.normalize():f} %"


def standings(actor: Actor, customers: Iterable[Customer], now: datetime) -> dict[UUID, SlaStanding]:
    """Customers without a promise are left out. Three queries for any number of them."""
    assignments = _current_assignments(actor, customers, now)
    return _stand(assignments, _measured(assignments, now), now)


def recent_standings(actor: Actor, customers: Iterable[Customer], now: datetime) -> dict[UUID, SlaStanding]:
    """As `standings`, up to `SLA_STANDING_SECONDS` old: a list of all customers would count the month's runs each time."""
    assignments = _current_assignments(actor, customers, now)
    keys = {_kept_as(found, now): pk for pk, found in assignments.items()}
    results = {keys[key]: kept for key, kept in cache.get_many(keys).items()}
    missing = {pk: found for pk, found in assignments.items() if pk not in results}
    if missing:
        measured = _measured(missing, now)
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


def _measured(assignments: dict[UUID, SlaAssignment], now: datetime) -> dict[UUID, list[ObjectiveResult]]:
    objectives = {pk: objectives_of(found.policy_version) for pk, found in assignments.items()}
    months = {pk: month_around(found.customer, now) for pk, found in assignments.items()}
    tallies = count_spans(
        [Span(pk, start, min(now, end), thresholds_of(objectives[pk])) for pk, (start, end) in months.items()]
    )
    return {pk: judge(objectives[pk], tallies[pk]) for pk in assignments}


def _current_assignments(actor: Actor, customers: Iterable[Customer], now: datetime) -> dict[UUID, SlaAssignment]:
    """In the order of the customers."""
    known = {customer.pk: customer for customer in customers}
    rows = (
        SlaAssignment.objects.visible_to(actor)
        .filter(customer_id__in=list(known), starts_at__lte=now, ends_at=None)
        .select_related("policy_version__policy")
    )
    found = {row.customer_id: row for row in rows}
    for pk, assignment in found.items():
        assignment.customer = known[pk]  # rather than reading it again beside each
    return {pk: found[pk] for pk in known if pk in found}
