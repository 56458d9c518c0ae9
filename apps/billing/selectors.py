"""Reads of money. `preview_invoice` runs the very code that issues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from apps.billing.models import (
    BillingAccount,
    BillingPeriod,
    Invoice,
    InvoiceStatus,
    PriceKind,
    Subscription,
    SubscriptionStatus,
    UsageEvent,
)
from apps.billing.rating import PriceTerms, RatedInvoice, rate_invoice, tax_rule_for
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.money import Money, round_half_up


def billable_usage(period: BillingPeriod) -> QuerySet[UsageEvent]:
    """What the period's invoice charges: everything used before its end that no invoice has charged yet.

    A late arrival of an earlier month is thereby billed with the current one, and never twice.
    """
    subscription = period.subscription
    return UsageEvent.objects.filter(
        subject_key=subscription.account.subject_key,
        occurred_at__gte=subscription.started_at,
        occurred_at__lt=period.period_end,
        charge=None,
    )


def preview_invoice(period: BillingPeriod) -> RatedInvoice:
    """What the period's invoice would say if it were issued now."""
    account = period.subscription.account
    prices = [
        PriceTerms(
            label=price.label,
            meter=price.meter,
            unit_amount=price.unit_amount,
            included_quantity=price.included_quantity,
        )
        for price in period.subscription.plan_version.prices.order_by("position")
    ]
    used = billable_usage(period).values_list("meter").annotate(total=Sum("quantity"))
    tax = tax_rule_for(
        seller_country=account.legal_entity.country,
        buyer_country=account.country,
        buyer_tax_id=account.tax_id,
        standard_rate=account.legal_entity.tax_rate,
    )
    return rate_invoice(prices, dict(used.values_list("meter", "total")), tax)


def find_account(subject_key: str) -> BillingAccount | None:
    return BillingAccount.objects.select_related("legal_entity").filter(subject_key=subject_key).first()


def find_live_subscription(subject_key: str) -> Subscription | None:
    return (
        Subscription.objects.select_related("account__legal_entity", "plan_version__plan")
        .filter(account__subject_key=subject_key)
        .exclude(status=SubscriptionStatus.CANCELED)
        .first()
    )


def find_current_period(subscription: Subscription, now: datetime) -> BillingPeriod | None:
    return (
        BillingPeriod.objects.select_related("subscription__account__legal_entity", "subscription__plan_version")
        .filter(subscription=subscription, period_start__lte=now, period_end__gt=now)
        .first()
    )


def list_invoices(actor: Actor) -> QuerySet[Invoice]:
    """Newest first; a customer's people and keys see only what was issued to them."""
    return (
        Invoice.objects.visible_to(actor)
        .select_related("account", "legal_entity", "period")
        .order_by("-created_at", "-id")
    )


def get_invoice(actor: Actor, invoice_id: UUID | str) -> Invoice:
    """Raises NotVisible."""
    invoice = list_invoices(actor).filter(pk=invoice_id).first()
    if invoice is None:
        raise NotVisible("There is no such invoice.")
    return invoice


@dataclass(frozen=True, slots=True)
class RecurringRevenue:
    """Monthly recurring revenue in one currency: the flat fees of all live subscriptions at an instant."""

    money: Money
    subscription_count: int


def monthly_recurring_revenue(at: datetime) -> list[RecurringRevenue]:
    """Per currency, largest first. Metered charges are not recurring and stay out."""
    rows = (
        Subscription.objects.filter(started_at__lte=at)
        .filter(Q(canceled_at=None) | Q(canceled_at__gt=at))
        .filter(plan_version__prices__kind=PriceKind.FLAT)
        .values("plan_version__currency")
        .annotate(total=Sum("plan_version__prices__unit_amount"), subscriptions=Count("id", distinct=True))
        .order_by("-total")
    )
    return [
        RecurringRevenue(
            Money(round_half_up(Decimal(row["total"])), row["plan_version__currency"]), row["subscriptions"]
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Receivables:
    """What was invoiced and is still to be paid, in one currency."""

    outstanding: Money
    overdue: Money
    invoice_count: int


def receivables(at: datetime) -> list[Receivables]:
    rows = (
        Invoice.objects.filter(status=InvoiceStatus.OPEN)
        .values("currency")
        .annotate(
            owed=Sum("total_amount") - Sum("paid_amount"),
            late=Sum("total_amount", filter=Q(due_date__lt=at.date())),
            late_paid=Sum("paid_amount", filter=Q(due_date__lt=at.date())),
            invoices=Count("id"),
        )
        .order_by("-owed")
    )
    return [
        Receivables(
            Money(row["owed"], row["currency"]),
            Money((row["late"] or 0) - (row["late_paid"] or 0), row["currency"]),
            row["invoices"],
        )
        for row in rows
    ]
