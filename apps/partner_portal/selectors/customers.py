"""The customers list: each row with everything that tells whether the customer is well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apps.core.actor import Actor
from apps.core.money import Money
from apps.customers.models import Customer
from apps.partner_portal.selectors.health import CustomerHealth, customer_health
from apps.partner_portal.selectors.money import plans_of
from apps.partner_portal.selectors.sla import SlaStanding, recent_standings


@dataclass(frozen=True, slots=True)
class CustomerRow:
    customer: Customer
    health: CustomerHealth
    plan_name: str = ""
    monthly: Money | None = None
    sla: SlaStanding | None = None

    @property
    def pk(self) -> object:
        return self.customer.pk


def customer_rows(actor: Actor, customers: Iterable[Customer], now: datetime) -> list[CustomerRow]:
    """Facts the actor's role may not see stay empty."""
    listed = list(customers)
    works = actor.can("integrations.view")
    health = customer_health(actor, listed, now) if works else {c.pk: CustomerHealth(c) for c in listed}
    plans = plans_of(actor, listed) if actor.can("billing.view") else {}
    promises = recent_standings(actor, listed, now) if actor.can("sla.view") else {}
    rows = []
    for customer in listed:
        plan = plans.get(customer.subject_key)
        rows.append(
            CustomerRow(
                customer, health[customer.pk], plan.plan_name if plan else "", plan.monthly if plan else None,
                promises.get(customer.pk),
            )
        )  # fmt: skip
    return rows
