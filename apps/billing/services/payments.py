from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.billing.models import Invoice, InvoiceStatus, Payment
from apps.core.actor import Actor
from apps.core.clock import local_date
from apps.core.errors import AnticipatedError
from apps.core.money import Money
from apps.events.services import record_event

OWING = (InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE)


class UnableToRecordPayment(AnticipatedError):
    """The payment does not fit the invoice."""

    code = "unable_to_record_payment"


def record_payment(
    *,
    actor: Actor,
    now: datetime,
    invoice: Invoice,
    amount: int,
    paid_on: date,
    method: str,
    reference: str = "",
    key: str,
) -> Payment:
    """This function will record money received (minor units) and mark the invoice paid once nothing is owed.

    `key` names the form or request it came with: sent twice, it is booked once and the first payment returned. Raises
    UnableToRecordPayment for an invoice that owes nothing, for more than is owed, and for a day still to come.
    """
    actor.require("billing.manage")
    with transaction.atomic():
        # The invoice's row serializes its payments: the second of two equal requests finds what the first has booked.
        locked = Invoice.objects.select_for_update(of=("self",)).select_related("account").get(pk=invoice.pk)
        known = locked.payments.filter(key=key).first()
        if known is not None:
            payment = _same(known, amount, paid_on)
        else:
            _check(locked, amount, paid_on, now)
            payment = Payment.objects.create(
                invoice=locked, amount=amount, paid_on=paid_on, method=method, reference=reference, key=key, created_at=now
            )  # fmt: skip
            _book(actor, now, locked, payment)
    invoice.refresh_from_db()
    return payment


def _same(known: Payment, amount: int, paid_on: date) -> Payment:
    if (known.amount, known.paid_on) != (amount, paid_on):
        raise UnableToRecordPayment(
            "This form has recorded another payment before. Reload the page to enter a new one."
        )
    return known


def _check(invoice: Invoice, amount: int, paid_on: date, now: datetime) -> None:
    if invoice.status not in OWING:
        raise UnableToRecordPayment("Payments can be recorded for open invoices only.")
    if paid_on > local_date(now, invoice.account.time_zone):
        raise UnableToRecordPayment("Enter the day the money arrived: it cannot lie in the future.", field="paid_on")
    owed = invoice.total_amount - invoice.paid_amount
    if not 0 < amount <= owed:
        least, most = Money(1, invoice.currency).decimal, Money(owed, invoice.currency)
        raise UnableToRecordPayment(f"Enter an amount between {least} and {most}.", field="amount")


def _book(actor: Actor, now: datetime, invoice: Invoice, payment: Payment) -> None:
    invoice.paid_amount += payment.amount
    if invoice.paid_amount == invoice.total_amount:
        invoice.status, invoice.paid_at, invoice.status_changed_at = InvoiceStatus.PAID, now, now
        record_event(
            name="billing.invoice.paid", subject_key=invoice.account.subject_key, now=now,
            payload={"invoice_id": str(invoice.pk), "number": invoice.number},
        )  # fmt: skip
    invoice.save(update_fields=["paid_amount", "status", "paid_at", "status_changed_at"])
    record_change(
        actor=actor, now=now, target=invoice, action="billing.payment.recorded",
        after={"amount": payment.amount, "method": payment.method, "payment": str(payment.pk)},
    )  # fmt: skip
