"""The turn of the month: what was promised is reported, what was used is invoiced, and some of it is paid."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.billing.models import BillingPeriod, Invoice, InvoiceStatus
from apps.billing.services import close_periods, deliver_invoice, issue_invoice, record_payment
from apps.core import clock
from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.sla.services import close_due_month

CLOSED_AFTER = timedelta(hours=3)
ISSUED_AFTER = timedelta(hours=8)
PAID_AFTER = timedelta(days=5)


def close_last_month(customers: list[Customer], owner: Actor, month_start: datetime) -> None:
    """This function will close SLA and billing of the month before `month_start` and issue its invoices.

    The first customer pays; the others have not yet.
    """
    closed_at, issued_at = month_start + CLOSED_AFTER, month_start + ISSUED_AFTER
    with clock.moved_clock(closed_at):
        for customer in customers:
            close_due_month(customer_id=str(customer.pk), now=closed_at)
        over = BillingPeriod.objects.filter(period_end__lte=closed_at, closed_at=None)
        close_periods(period_ids=list(over.values_list("pk", flat=True)), now=closed_at)
    with clock.moved_clock(issued_at):
        drafts = Invoice.objects.filter(status=InvoiceStatus.DRAFT, period__period_end__lte=issued_at)
        for draft in drafts.order_by("account__legal_name"):
            issue_invoice(actor=owner, now=issued_at, invoice=draft)
            deliver_invoice(invoice_id=str(draft.pk), now=issued_at)


def receive_payment(customer: Customer, owner: Actor, month_start: datetime) -> None:
    """This function will record that the customer paid its invoice in full."""
    paid_at = month_start + ISSUED_AFTER + PAID_AFTER
    invoice = Invoice.objects.filter(account__subject_key=customer.subject_key, status=InvoiceStatus.OPEN).first()
    if invoice is None or paid_at > clock.now():
        return
    with clock.moved_clock(paid_at):
        record_payment(
            actor=owner,
            now=paid_at,
            invoice=invoice,
            amount=invoice.total_amount,
            paid_on=paid_at.date(),
            method="bank_transfer",
            reference=str(invoice.number),
            key=f"demo:{invoice.number}",
        )
