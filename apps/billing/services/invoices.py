"""Draft → open. A draft is recomputed as often as one likes; an open invoice never changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.audit.services import record_audit
from apps.billing.models import (
    BillingAccount,
    BillingPeriod,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LegalEntity,
    SubscriptionStatus,
)
from apps.billing.rating import RatedInvoice
from apps.billing.selectors import preview_invoice
from apps.billing.services.deliveries import DELIVER_KIND
from apps.billing.services.subscriptions import CLOSE_KIND, open_period
from apps.core.actor import Actor
from apps.core.clock import local_date
from apps.core.errors import AnticipatedError, Conflict
from apps.dispatch.services import complete, schedule
from apps.events.services import record_event

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
    said = (invoice.total_amount, invoice.tax_breakdown, *map(_told, invoice.lines.order_by("position")))
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


def issue_invoice(*, actor: Actor, now: datetime, invoice: Invoice) -> Invoice:
    """This function will fix the draft: charge its usage rows, take the next number, snapshot names.

    Its document is typeset and mailed after that (`deliver_invoice`): the books are not held for either. Raises
    UnableToIssueInvoice while the period runs, and when someone else has issued it meanwhile.
    """
    actor.require("billing.manage")
    with transaction.atomic():
        locked = _lock_draft(invoice)
        if locked.period is not None:
            if locked.period.period_end > now:
                raise UnableToIssueInvoice("The month is still running: issue the invoice when it is over.")
            bring_up_to_date(locked, preview_invoice(locked.period))
            _charge_usage(locked, locked.period)
        _open(locked, now)
        schedule(kind=DELIVER_KIND, key=str(locked.pk), due_at=now)
        record_event(
            name="billing.invoice.opened", subject_key=locked.account.subject_key, now=now,
            payload={"invoice_id": str(locked.pk), "number": locked.number},
        )  # fmt: skip
        record_audit(
            actor=actor, action="billing.invoice.issued", target_key=f"invoice:{locked.pk}", now=now,
            owner_key=locked.account.subject_key, target_label=str(locked.number),
            after={"total_amount": locked.total_amount, "currency": locked.currency},
        )  # fmt: skip
        return locked


def _lock_draft(invoice: Invoice) -> Invoice:
    related = ("period__subscription__plan_version", "account__legal_entity")
    locked = Invoice.objects.select_for_update(of=("self",)).select_related(*related).get(pk=invoice.pk)
    if locked.status != InvoiceStatus.DRAFT:
        raise UnableToIssueInvoice("This invoice was already issued. Reload the page.")
    if locked.period is not None:
        locked.period.subscription.account = locked.account
    return locked


def _charge_usage(invoice: Invoice, period: BillingPeriod) -> None:
    # Set-based: a month of a busy customer is hundreds of thousands of rows. The unique charge per event refuses a
    # second billing even if two processes got here at once.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_usagecharge (usage_event_id, line_id)
            SELECT event.id, line.id
            FROM billing_usageevent event
            JOIN billing_invoiceline line ON line.invoice_id = %s AND line.meter = event.meter
            LEFT JOIN billing_usagecharge charge ON charge.usage_event_id = event.id
            WHERE event.subject_key = %s AND event.occurred_at >= %s AND event.occurred_at < %s AND charge.id IS NULL
            """,
            [invoice.pk, invoice.account.subject_key, period.subscription.started_at, period.period_end],
        )


def _open(invoice: Invoice, now: datetime) -> None:
    issuer = invoice.legal_entity = LegalEntity.objects.select_for_update().get(pk=invoice.legal_entity_id)
    invoice.number = f"{issuer.invoice_prefix}{issuer.next_number:06d}"
    issuer.next_number += 1
    issuer.save(update_fields=["next_number"])
    invoice.issue_date = local_date(now, invoice.account.time_zone)
    invoice.due_date = invoice.issue_date + timedelta(days=PAYMENT_DAYS)
    invoice.issuer = _snapshot_issuer(issuer)
    invoice.recipient = _snapshot_recipient(invoice.account)
    invoice.status = InvoiceStatus.OPEN
    invoice.issued_at = invoice.status_changed_at = now
    if not invoice.total_amount:
        # Nothing is owed, and no payment could ever close it.
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, now
    invoice.save()


def _snapshot_issuer(issuer: LegalEntity) -> dict[str, str]:
    return {
        "name": issuer.name,
        "address": issuer.address,
        "country": issuer.country,
        "tax_id": issuer.tax_id,
        "payment_instructions": issuer.payment_instructions,
    }


def _snapshot_recipient(account: BillingAccount) -> dict[str, str]:
    return {
        "name": account.legal_name,
        "address": account.address,
        "country": account.country,
        "tax_id": account.tax_id,
        "email": account.email,
    }


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
