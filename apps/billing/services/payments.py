from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from apps.audit.services import record_audit
from apps.billing.models import Invoice, InvoiceStatus, Payment
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.core.money import Money
from apps.events.services import record_event


class UnableToRecordPayment(AnticipatedError):
    """The payment does not fit the invoice."""

    code = "unable_to_record_payment"


def record_payment(
    *, actor: Actor, now: datetime, invoice: Invoice, amount: int, paid_on: date, method: str, reference: str = ""
) -> Payment:
    """This function will record money received (minor units) and mark the invoice paid once nothing is owed.

    Raises UnableToRecordPayment for an invoice that is not open and for more than is owed.
    """
    actor.require("billing.manage")
    with transaction.atomic():
        locked = Invoice.objects.select_for_update(of=("self",)).select_related("account").get(pk=invoice.pk)
        owed = locked.total_amount - locked.paid_amount
        if locked.status != InvoiceStatus.OPEN:
            raise UnableToRecordPayment("Payments can be recorded for open invoices only.")
        if not 0 < amount <= owed:
            least, most = Money(1, locked.currency).decimal, Money(owed, locked.currency)
            raise UnableToRecordPayment(f"Enter an amount between {least} and {most}.", field="amount")
        payment = Payment.objects.create(
            invoice=locked, amount=amount, paid_on=paid_on, method=method, reference=reference, created_at=now
        )
        locked.paid_amount += amount
        if amount == owed:
            locked.status, locked.paid_at = InvoiceStatus.PAID, now
            record_event(
                name="billing.invoice.paid", subject_key=locked.account.subject_key, now=now,
                payload={"invoice_id": str(locked.pk), "number": locked.number},
            )  # fmt: skip
        locked.save(update_fields=["paid_amount", "status", "paid_at"])
        record_audit(
            actor=actor, action="billing.payment.recorded", target_key=f"invoice:{locked.pk}", now=now,
            owner_key=locked.account.subject_key, target_label=str(locked.number),
            after={"amount": amount, "method": method},
        )  # fmt: skip
    invoice.refresh_from_db()
    return payment
