"""Drafts: made when a month ends, recomputed as often as one likes."""

from __future__ import annotations

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
from apps.billing.selectors import preview_invoice
from apps.billing.services.subscriptions import CLOSE_KIND, open_period
from apps.core.errors import AnticipatedError, Conflict
from apps.dispatch.services import complete

PAYMENT_DAYS = 14


class UnableToIssueInvoice(Conflict):
    """The invoice is not a draft any more, or its period is still running."""

    code = "unable_to_issue_invoice"


def draft_invoice(*, period: BillingPeriod, now: datetime) -> Invoice:
    """This function will create the period's draft, or bring an existing draft up to date.

    Raises UnableToIssueInvoice when the period's invoice was already issued.
    """
    with transaction.atomic():
        return _draft(_lock_period(period.pk), now)


def _lock_period(period_id: UUID | str) -> BillingPeriod:
    periods = BillingPeriod.objects.select_for_update(of=("self",))
    related = ("subscription__account__legal_entity", "subscription__plan_version")
    return periods.select_related(*related).get(pk=period_id)


def _draft(period: BillingPeriod, now: datetime) -> Invoice:
    """`period` is locked."""
    account, rated = period.subscription.account, preview_invoice(period)
    # Locked as well: somebody may be issuing it.
    invoice = Invoice.objects.select_for_update().filter(period=period).first()
    if invoice is None:
        invoice = Invoice(
            account=account, legal_entity=account.legal_entity, period=period, currency=account.currency, created_at=now
        )
        _note_totals(invoice, rated)
        invoice.save(force_insert=True)
        InvoiceLine.objects.bulk_create(_lines(invoice, rated))
        return invoice
    if invoice.status != InvoiceStatus.DRAFT:
        raise UnableToIssueInvoice("This period's invoice was already issued.")
    bring_up_to_date(invoice, rated)
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


def close_period(*, period_id: str, now: datetime) -> Invoice | None:
    """This function will draft the invoice of a period that is over and open the next one. Safe to repeat."""
    with transaction.atomic():
        period = _lock_period(period_id)
        complete(kind=CLOSE_KIND, key=period_id)
        if period.subscription.status != SubscriptionStatus.CANCELED:
            open_period(subscription=period.subscription, instant=period.period_end)
        try:
            invoice = _draft(period, now)
        except AnticipatedError:
            return None  # a person was quicker: the invoice is out
        BillingPeriod.objects.filter(pk=period.pk, closed_at=None).update(closed_at=now)
        return invoice
