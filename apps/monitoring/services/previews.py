"""What a rule would find today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.core.actor import Actor
from apps.core.money import Money
from apps.customers.models import Environment, EnvironmentKind
from apps.monitoring.hits import CompiledRule, Hit, find_hits
from apps.monitoring.models import ExceptionRule
from apps.monitoring.services.rules import RuleDraft, check_draft

PREVIEWED, EXAMPLES = 10_000, 10


@dataclass(frozen=True)
class Preview:
    """What would be open today. `is_cut`: there are more than were counted."""

    count: int
    customers: int
    stakes: list[Money]
    examples: list[tuple[str, Hit]] = field(default_factory=list)
    is_cut: bool = False


def preview_rule(*, actor: Actor, now: datetime, draft: RuleDraft) -> Preview:
    """This function will count what the rule would hold open today, over everything the actor sees; it writes nothing.

    Raises UnableToSaveRule, UnableToRead.
    """
    check_draft(draft)
    compiled = CompiledRule(ExceptionRule(key="preview", changed_at=now, **draft.values()))
    sums: dict[str, int] = defaultdict(int)
    found: list[tuple[str, Hit]] = []
    customers: set[Any] = set()
    count = 0
    for environment, hit in _hits(compiled, actor, now):
        if count == PREVIEWED:
            return _preview(count, customers, sums, found, is_cut=True)
        count += 1
        customers.add(environment.customer_id)
        if hit.stake:
            sums[hit.stake.currency] += hit.stake.amount
        if len(found) < EXAMPLES:
            found.append((environment.customer.name, hit))
    return _preview(count, customers, sums, found, is_cut=False)


def _hits(compiled: CompiledRule, actor: Actor, now: datetime) -> Iterator[tuple[Environment, Hit]]:
    environments = Environment.objects.visible_to(actor).filter(kind=EnvironmentKind.PRODUCTION)
    for environment in (
        environments.filter(customer__archived_at=None).select_related("customer").order_by("customer__name", "id")
    ):
        for hits in find_hits(compiled, environment, now):
            for hit in hits:
                yield environment, hit


def _preview(
    count: int, customers: set[Any], sums: dict[str, int], found: list[tuple[str, Hit]], *, is_cut: bool
) -> Preview:
    stakes = [Money(amount, currency) for currency, amount in sorted(sums.items())]
    return Preview(count, len(customers), stakes, found, is_cut)
