"""What follows an invoice once it stands in the books: its document, and the mail that tells of it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from apps.billing.documents import render_invoice_pdf
from apps.billing.models import Invoice, InvoiceDocument, InvoiceStatus
from apps.billing.services.mails import mail_invoice
from apps.dispatch.services import complete

DELIVER_KIND = "billing.deliver_invoice"


def deliver_invoice(*, invoice_id: str, now: datetime) -> None:
    """This function will typeset the issued invoice, keep that for good, and mail it unless it was voided. Safe to repeat."""
    invoice = Invoice.objects.select_related("account", "legal_entity", "period").get(pk=invoice_id)
    keep_document(invoice=invoice, now=now)
    if invoice.status != InvoiceStatus.VOID:
        mail_invoice(invoice=invoice, now=now)
    complete(kind=DELIVER_KIND, key=invoice_id)


def keep_document(*, invoice: Invoice, now: datetime) -> InvoiceDocument:
    """This function will typeset the document unless one is kept already: what was handed out never changes."""
    kept = InvoiceDocument.objects.filter(invoice=invoice).first()
    if kept is not None:
        return kept
    content = render_invoice_pdf(invoice)
    values = {"sha256": sha256(content).hexdigest(), "content": content, "created_at": now}
    return InvoiceDocument.objects.get_or_create(invoice=invoice, defaults=values)[0]
