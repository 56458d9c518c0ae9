"""Drafts: made when a month ends, recomputed as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.billing.models import (
    BillingPeriod,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    SubscriptionStatus,
)
from apps.billing.rating import RatedInvoice
from apps.billing.selectors import preview_invoices
from apps.billing.services.subscriptions import CLOSE_GRACE, CLOSE_KIND, open_periods
from apps.dispatch.services import complete

CLOSED_AT_ONCE = 100


def close_periods(*, period_ids: Sequence[UUID | str], now: datetime) -> list[Invoice]:
    """This function will draft the invoices of periods that are over and open the next ones. Safe to repeat.

    A period that is closed already is left out, and so is an invoice that a person was quicker to issue.
    """
    with transaction.atomic():
        periods = _lock_periods(pk__in=period_ids, closed_at=None)
        going_on = [p for p in periods if p.subscription.status != SubscriptionStatus.CANCELED]
        open_periods([(period.subscription, period.period_end) for period in going_on])
        invoices = _draft(periods, now)
        BillingPeriod.objects.filter(pk__in=[period.pk for period in periods]).update(closed_at=now)
        for period_id in period_ids:
            complete(kind=CLOSE_KIND, key=str(period_id))
        return invoices


def close_due_periods(*, period_id: str, now: datetime) -> list[Invoice]:
    """This function will close the period and others that are due: a partner's months mostly end in the same minute."""
    due = BillingPeriod.objects.filter(closed_at=None, period_end__lte=now - CLOSE_GRACE).exclude(pk=period_id)
    others = due.order_by("period_end", "pk").values_list("pk", flat=True)[: CLOSED_AT_ONCE - 1]
    return close_periods(period_ids=[period_id, *others], now=now)


def _lock_periods(**wanted: object) -> list[BillingPeriod]:
    """In the order of their ids, so that two who want the same do not wait for each other.

    With their subscriptions: no month is opened of one that somebody is canceling.
    """
    rows = BillingPeriod.objects.select_for_update(of=("self", "subscription"))
    periods = rows.filter(**wanted).order_by("pk")
    return list(periods.select_related("subscription__account__legal_entity", "subscription__plan_version"))


def _draft(periods: list[BillingPeriod], now: datetime) -> list[Invoice]:
    """`periods` are locked. Their invoices, but for those that were issued."""
    rated = preview_invoices(periods)
    # Locked as well: somebody may be issuing them.
    stored = Invoice.objects.select_for_update().filter(period__in=periods).prefetch_related("lines").order_by("pk")
    found = {invoice.period_id: invoice for invoice in stored if invoice.period_id}
    made = {period.pk: _new_draft(period, rated[period.pk], now) for period in periods if period.pk not in found}
    Invoice.objects.bulk_create(made.values())
    InvoiceLine.objects.bulk_create(line for pk, invoice in made.items() for line in _lines(invoice, rated[pk]))
    drafts = {pk: invoice for pk, invoice in found.items() if invoice.status == InvoiceStatus.DRAFT}
    for pk, invoice in drafts.items():
        bring_up_to_date(invoice, rated[pk])
    return [*made.values(), *drafts.values()]


def _new_draft(period: BillingPeriod, rated: RatedInvoice, now: datetime) -> Invoice:
    account = period.subscription.account
    invoice = Invoice(
        account=account, legal_entity=account.legal_entity, period=period, currency=account.currency, created_at=now
    )
    _note_totals(invoice, rated)
    return invoice


def bring_up_to_date(invoice: Invoice, rated: RatedInvoice) -> None:
    """This function will write the draft anew if it does not say what it should; mostly it does."""
    lines = _lines(invoice, rated)
    said = (
        invoice.total_amount,
        invoice.tax_breakdown,
        *map(_told, sorted(invoice.lines.all(), key=lambda line: line.position)),
    )
    if said == (rated.total_amount, _breakdown(rated), *map(_told, lines)):
        return
    invoice.lines.all().delete()
    InvoiceLine.objects.bulk_create(lines)
    _note_totals(invoice, rated)
    invoice.save(update_fields=["subtotal_amount", "tax_amount", "total_amount", "tax_breakdown"])


def _told(line: InvoiceLine) -> tuple[object, ...]:
    """All that a line says; what it charges follows from its meter."""
    return (
        line.position, line.description, line.meter, line.quantity, line.unit_amount, line.amount, line.tax_category,
        line.tax_rate,
    )  # fmt: skip


def _lines(invoice: Invoice, rated: RatedInvoice) -> list[InvoiceLine]:
    return [
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description,
            meter=line.meter,
            quantity=line.quantity,
            unit_amount=line.unit_amount,
            amount=line.amount,
            tax_category=rated.tax.category,
            tax_rate=rated.tax.rate,
        )
        for position, line in enumerate(rated.lines, start=1)
    ]


def _note_totals(invoice: Invoice, rated: RatedInvoice) -> None:
    invoice.subtotal_amount = rated.subtotal_amount
    invoice.tax_amount = rated.tax_amount
    invoice.total_amount = rated.total_amount
    invoice.tax_breakdown = _breakdown(rated)


def _breakdown(rated: RatedInvoice) -> list[dict[str, str | int]]:
    return [
        {
            "category": rated.tax.category,
            "rate": str(rated.tax.rate),
            "base_amount": rated.subtotal_amount,
            "tax_amount": rated.tax_amount,
        }
    ]
