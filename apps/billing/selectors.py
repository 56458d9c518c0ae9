"""Reads of money. `preview_invoice` runs the very code that issues."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet, Sum

from apps.billing.models import (
    BillingAccount,
    BillingPeriod,
    Invoice,
    Subscription,
    SubscriptionStatus,
    UsageEvent,
)
from apps.billing.rating import PriceTerms, RatedInvoice, rate_invoice, tax_rule_for
from apps.core.actor import Actor
from apps.core.errors import NotVisible


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
