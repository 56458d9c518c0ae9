"""The ends of an invoice that is not paid: void (it should not have been sent) and uncollectible (it will not be paid)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.billing.models import Invoice, InvoiceStatus
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.events.services import record_event


class UnableToVoidInvoice(Conflict):
    """Only an unpaid invoice that is still owed can be voided."""

    code = "unable_to_void_invoice"


class UnableToWriteOffInvoice(Conflict):
    """Only an open invoice can be written off."""

    code = "unable_to_write_off_invoice"


def void_invoice(*, actor: Actor, now: datetime, invoice: Invoice, reason: str) -> Invoice:
    """This function will void an invoice nobody has paid on. Its number stays taken; its usage stays charged."""
    actor.require("billing.manage")
    if not reason.strip():
        raise UnableToVoidInvoice("Say why the invoice is voided.", field="reason")
    with transaction.atomic():
        locked = _lock(invoice)
        if locked.status not in (InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE) or locked.paid_amount:
            raise UnableToVoidInvoice("Only an open invoice without payments can be voided.")
        _close(actor, now, locked, InvoiceStatus.VOID, "voided", reason)
    invoice.refresh_from_db()
    return invoice


def write_off_invoice(*, actor: Actor, now: datetime, invoice: Invoice, reason: str) -> Invoice:
    """This function will give up what is still owed. Money that comes after all can be recorded as a payment."""
    actor.require("billing.manage")
    if not reason.strip():
        raise UnableToWriteOffInvoice("Say why the invoice is written off.", field="reason")
    with transaction.atomic():
        locked = _lock(invoice)
        if locked.status != InvoiceStatus.OPEN:
            raise UnableToWriteOffInvoice("Only an open invoice can be written off.")
        _close(actor, now, locked, InvoiceStatus.UNCOLLECTIBLE, "written_off", reason)
    invoice.refresh_from_db()
    return invoice


def _lock(invoice: Invoice) -> Invoice:
    return Invoice.objects.select_for_update(of=("self",)).select_related("account").get(pk=invoice.pk)


def _close(actor: Actor, now: datetime, invoice: Invoice, status: InvoiceStatus, verb: str, reason: str) -> None:
    before = invoice.status
    invoice.status, invoice.status_reason, invoice.status_changed_at = status, reason.strip(), now
    invoice.save(update_fields=["status", "status_reason", "status_changed_at"])
    record_event(
        name=f"billing.invoice.{verb}", subject_key=invoice.account.subject_key, now=now,
        payload={"invoice_id": str(invoice.pk), "number": invoice.number},
    )  # fmt: skip
    record_change(
        actor=actor, now=now, target=invoice, action=f"billing.invoice.{verb}", before={"status": before},
        after={"status": status.value, "reason": reason.strip()},
    )  # fmt: skip
