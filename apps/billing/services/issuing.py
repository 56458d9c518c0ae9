"""Draft → open, for one or for all that were reviewed: the same statements however many. An open invoice never changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.audit.services import AuditEntry, record_audits
from apps.billing.models import BillingAccount, Invoice, InvoiceStatus, LegalEntity
from apps.billing.selectors import preview_invoices
from apps.billing.services.deliveries import DELIVER_KIND
from apps.billing.services.invoices import bring_up_to_date
from apps.billing.spans import usage_spans
from apps.core.actor import Actor
from apps.core.bulk import execute, json_text
from apps.core.clock import local_date
from apps.core.errors import Conflict
from apps.dispatch.services import schedule_all
from apps.events.services import record_events

PAYMENT_DAYS = 14

# Set-based: a month of a busy customer is hundreds of thousands of rows. The unique charge per event refuses a second
# billing even if two processes got here at once.
_CHARGE = """
INSERT INTO billing_usagecharge (usage_event_id, line_id)
SELECT event.id, line.id
FROM unnest(%(invoices)s::uuid[], %(subjects)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS issued (invoice_id, subject_key, start_at, end_at)
JOIN billing_usageevent event ON event.subject_key = issued.subject_key
    AND event.occurred_at >= issued.start_at AND event.occurred_at < issued.end_at
JOIN billing_invoiceline line ON line.invoice_id = issued.invoice_id AND line.meter = event.meter
LEFT JOIN billing_usagecharge charge ON charge.usage_event_id = event.id
WHERE charge.id IS NULL
"""
_OPEN = """
UPDATE billing_invoice SET number = issued.number, issue_date = issued.issue_date, due_date = issued.due_date,
    issuer = issued.issuer, recipient = issued.recipient, status = issued.status, issued_at = issued.issued_at,
    status_changed_at = issued.issued_at, paid_at = issued.paid_at
FROM jsonb_to_recordset(%s::jsonb) AS issued (id uuid, number text, issue_date date, due_date date, issuer jsonb,
    recipient jsonb, status text, issued_at timestamptz, paid_at timestamptz)
WHERE billing_invoice.id = issued.id
"""


class UnableToIssueInvoice(Conflict):
    """The invoice is not a draft any more, or its period is still running."""

    code = "unable_to_issue_invoice"


def issue_invoice(*, actor: Actor, now: datetime, invoice: Invoice) -> Invoice:
    """This function will fix the draft: charge its usage rows, take the next number, snapshot names.

    Its document is typeset and mailed after that (`deliver_invoice`): the books are not held for either. Raises
    UnableToIssueInvoice while the period runs, and when someone else has issued it meanwhile.
    """
    return issue_invoices(actor=actor, now=now, invoices=[invoice])[0]


def issue_invoices(*, actor: Actor, now: datetime, invoices: Sequence[Invoice]) -> list[Invoice]:
    """This function will issue all of the drafts, numbered in the order given, or none. Raises as `issue_invoice` does."""
    actor.require("billing.manage")
    with transaction.atomic():
        drafts = _lock_drafts([invoice.pk for invoice in invoices], now)
        # Usage that arrived between rating and charging would count as billed without a price.
        execute("LOCK TABLE billing_usageevent IN SHARE MODE", [])
        _bring_up_to_date(drafts)
        _charge_usage(drafts)
        _open(drafts, now)
        schedule_all(kind=DELIVER_KIND, keys=[str(draft.pk) for draft in drafts], due_at=now)
        record_events(facts=[_told(draft) for draft in drafts], now=now)
        record_audits(actor=actor, action="billing.invoice.issued", now=now, entries=[_noted(one) for one in drafts])
    return drafts


def _lock_drafts(ids: list[UUID], now: datetime) -> list[Invoice]:
    related = ("period__subscription__plan_version", "account__legal_entity")
    rows = Invoice.objects.select_for_update(of=("self",)).select_related(*related).prefetch_related("lines")
    found = {draft.pk: draft for draft in rows.filter(pk__in=ids).order_by("pk")}
    drafts = [found[pk] for pk in ids]
    for draft in drafts:
        if draft.status != InvoiceStatus.DRAFT:
            raise UnableToIssueInvoice("This invoice was already issued. Reload the page.")
        if draft.period is not None:
            if draft.period.period_end > now:
                raise UnableToIssueInvoice("The month is still running: issue the invoice when it is over.")
            draft.period.subscription.account = draft.account
    return drafts


def _bring_up_to_date(drafts: list[Invoice]) -> None:
    periods = [draft.period for draft in drafts if draft.period is not None]
    rated = preview_invoices(periods)
    for draft in drafts:
        if draft.period is not None:
            bring_up_to_date(draft, rated[draft.period.pk])


def _charge_usage(drafts: list[Invoice]) -> None:
    metered = [(draft, draft.period) for draft in drafts if draft.period is not None]
    spans = usage_spans([period for _, period in metered])
    values: dict[str, list[Any]] = {
        "invoices": [draft.pk for draft, _ in metered],
        "subjects": [draft.account.subject_key for draft, _ in metered],
        "starts": [spans[period.pk][0] for _, period in metered],
        "ends": [spans[period.pk][1] for _, period in metered],
    }
    execute(_CHARGE, values)


def _open(drafts: list[Invoice], now: datetime) -> None:
    wanted = {draft.legal_entity_id for draft in drafts}
    issuers = LegalEntity.objects.select_for_update().order_by("pk").in_bulk(list(wanted))
    for draft in drafts:
        _fix(draft, issuers[draft.legal_entity_id], now)
    for issuer in issuers.values():
        issuer.save(update_fields=["next_number"])
    execute(_OPEN, [json_text([{name: getattr(draft, name) for name in _FIXED} for draft in drafts])])


_FIXED = ("id", "number", "issue_date", "due_date", "issuer", "recipient", "status", "issued_at", "paid_at")


def _fix(invoice: Invoice, issuer: LegalEntity, now: datetime) -> None:
    invoice.legal_entity = issuer
    invoice.number = f"{issuer.invoice_prefix}{issuer.next_number:06d}"
    issuer.next_number += 1
    invoice.issue_date = local_date(now, invoice.account.time_zone)
    invoice.due_date = invoice.issue_date + timedelta(days=PAYMENT_DAYS)
    invoice.issuer = _snapshot_issuer(issuer)
    invoice.recipient = _snapshot_recipient(invoice.account)
    invoice.status = InvoiceStatus.OPEN
    invoice.issued_at = invoice.status_changed_at = now
    if not invoice.total_amount:
        # Nothing is owed, and no payment could ever close it.
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, now


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


def _told(invoice: Invoice) -> tuple[str, str, dict[str, Any]]:
    payload = {"invoice_id": str(invoice.pk), "number": invoice.number}
    return "billing.invoice.opened", invoice.account.subject_key, payload


def _noted(invoice: Invoice) -> AuditEntry:
    return AuditEntry(
        target_key=invoice.subject_key, target_label=str(invoice), owner_key=invoice.owner_key,
        after={"total_amount": invoice.total_amount, "currency": invoice.currency},
    )  # fmt: skip
