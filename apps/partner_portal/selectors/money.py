"""What customers pay, for lists: plan and monthly fee of many customers at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum

from apps.billing.models import BillingAccount, PriceKind, Subscription, SubscriptionStatus
from apps.core.actor import Actor
from apps.core.money import Money, round_half_up
from apps.customers.models import Customer


@dataclass(frozen=True, slots=True)
class PlanOfCustomer:
    subscription: Subscription
    plan_name: str
    monthly: Money


def plans_of(actor: Actor, customers: Iterable[Customer]) -> dict[str, PlanOfCustomer]:
    """The live plan by subject key, with its flat monthly fee; one query."""
    keys = [customer.subject_key for customer in customers]
    accounts = BillingAccount.objects.visible_to(actor).filter(subject_key__in=keys)
    rows = (
        Subscription.objects.filter(account__in=accounts)
        .exclude(status=SubscriptionStatus.CANCELED)
        .select_related("account", "plan_version__plan")
        .annotate(flat=Sum("plan_version__prices__unit_amount", filter=Q(plan_version__prices__kind=PriceKind.FLAT)))
    )
    return {
        row.account.subject_key: PlanOfCustomer(
            row, row.plan_version.plan.name, Money(round_half_up(row.flat or Decimal(0)), row.plan_version.currency)
        )
        for row in rows
    }
