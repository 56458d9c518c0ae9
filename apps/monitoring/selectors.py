from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Min, OuterRef, QuerySet, Sum
from django.db.models.functions import JSONObject

from apps.audit.models import AuditEvent
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.money import Money
from apps.core.visible import get_visible
from apps.customers.models import Customer
from apps.monitoring.library import SHIPPED, unsaved
from apps.monitoring.models import BusinessException, BusinessExceptionQuerySet, ExceptionRule, Solver


@dataclass
class Standing:
    """Open exceptions of one rule, customer or all: how many, what is at stake per currency, since when."""

    count: int = 0
    stakes: list[Money] = field(default_factory=list)
    oldest: datetime | None = None


def list_exceptions(actor: Actor) -> BusinessExceptionQuerySet:
    """Raises NotPermitted."""
    actor.require("exceptions.view")
    found: BusinessExceptionQuerySet = BusinessException.objects.visible_to(actor).select_related("rule", "customer")
    return found


def get_exception(actor: Actor, exception_id: UUID) -> BusinessException:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_exceptions(actor), exception_id, "There is no such exception.")


def list_acts(actor: Actor, exception: BusinessException) -> QuerySet[AuditEvent]:
    """Who did what about it, newest first; a customer's people read none of it."""
    acts = AuditEvent.objects.filter(target_key=exception.subject_key).order_by("-id")
    return acts if actor.scope is None else acts.none()


def standing_by(exceptions: QuerySet[BusinessException], name: str) -> dict[Any, Standing]:
    """The exceptions summed up by a column (`rule_id`, `customer_id`), in one question."""
    summed = {"count": Count("*"), "amount_sum": Sum("amount"), "oldest": Min("since")}
    rows = exceptions.order_by().values_list(name, "currency").annotate(**summed)
    found: dict[Any, Standing] = defaultdict(Standing)
    for key, currency, count, amount, oldest in rows:
        one = found[key]
        one.count += count
        one.oldest = min(one.oldest, oldest) if one.oldest else oldest
        if currency and amount is not None:
            one.stakes.append(Money(amount, currency))
    return dict(found)


def with_standing(customers: QuerySet[Customer], actor: Actor, now: datetime) -> QuerySet[Customer]:
    """Adds `standing_rows` of what needs somebody, for `read_standing`: with the customers, in one pass over each one's."""
    found = BusinessException.objects.visible_to(actor).needing_somebody(now).filter(customer_id=OuterRef("pk"))
    summed = found.order_by().values("currency").annotate(n=Count("*"), total=Sum("amount"))
    rows = summed.values(row=JSONObject(currency="currency", count="n", amount="total"))
    return customers.annotate(standing_rows=ArraySubquery(rows))


def read_standing(customer: Customer) -> Standing:
    rows: list[dict[str, Any]] = getattr(customer, "standing_rows", [])
    known = [row for row in rows if row["currency"] and row["amount"] is not None]
    stakes = [Money(int(row["amount"]), row["currency"]) for row in known]
    return Standing(sum(row["count"] for row in rows), sorted(stakes, key=lambda stake: stake.currency))


def total_of(standings: Iterable[Standing]) -> Standing:
    total, sums = Standing(), defaultdict[str, int](int)
    for one in standings:
        total.count += one.count
        if one.oldest:
            total.oldest = min(total.oldest, one.oldest) if total.oldest else one.oldest
        for stake in one.stakes:
            sums[stake.currency] += stake.amount
    total.stakes = [Money(amount, currency) for currency, amount in sorted(sums.items())]
    return total


def list_rules(actor: Actor) -> list[ExceptionRule]:
    """By name; shipped ones that were never stored as they are shipped. Customers see those that are theirs to solve.

    Raises NotPermitted.
    """
    actor.require("exceptions.view")
    stored = {rule.key: rule for rule in ExceptionRule.objects.all()}
    shipped = [stored.pop(spec.key) if spec.key in stored else unsaved(spec) for spec in SHIPPED]
    found = sorted([*shipped, *stored.values()], key=lambda rule: rule.name.lower())
    return [rule for rule in found if actor.scope is None or rule.solver == Solver.CUSTOMER]


def get_rule(actor: Actor, key: str) -> ExceptionRule:
    """Raises NotVisible, NotPermitted."""
    found = next((rule for rule in list_rules(actor) if rule.key == key), None)
    if found is None:
        raise NotVisible("There is no such rule.")
    return found
