"""Who owes me? Invoices from draft to paid, void or written off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.documents import render_invoice_pdf
from apps.billing.models import Invoice, InvoiceStatus
from apps.billing.selectors import get_invoice, list_invoices
from apps.billing.services import (
    issue_invoice,
    issue_invoices,
    keep_document,
    record_payment,
    void_invoice,
    write_off_invoice,
)
from apps.core import clock
from apps.core.errors import NotVisible
from apps.partner_portal.actions import perform, submit, tell_refusal
from apps.partner_portal.forms.billing import PaymentForm, VoidForm, WriteOffForm
from apps.partner_portal.lists.money import invoice_status, invoices_table
from apps.partner_portal.needs import count_of
from apps.partner_portal.selectors.home import drafts_to_review
from apps.partner_portal.views.billing import TABS
from apps.partner_portal.wording import months_days
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.paging import page_queryset

MOST_AT_ONCE = 500


@require_GET
@requires(Audience.STAFF, "billing.view")
def show_invoices(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request, [Filter("state", "State", InvoiceStatus.choices)], search_placeholder="Number or customer"
    )
    found = list_invoices(request.actor)
    if filters.chosen("state"):
        found = found.filter(status__in=filters.chosen("state"))
    if filters.search:
        found = found.filter(account__legal_name__icontains=filters.search) | found.filter(
            number__icontains=filters.search
        )
    page = page_queryset(found, request, order=("-created_at", "-id"))
    context: dict[str, Any] = {
        "tabs": TABS.of(request, "invoices"), "filters": filters, "page": page,
        "table": invoices_table(page.items, clock.now().date(), across=True),
        "draft_count": min(drafts_to_review(request.actor).count(), MOST_AT_ONCE),
    }  # fmt: skip
    return htmx.render_page(request, "partner_portal/invoices.html", "partner_portal/_invoice_rows.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "billing.view")
def show_invoice(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    """The page with its forms; what is posted ends here when it does not fit."""
    invoice = get_invoice(request.actor, invoice_id)
    kind, made = request.POST.get("form", ""), _forms(request, invoice)
    if request.method == "POST":
        request.actor.require("billing.manage")
        if kind not in made:
            raise NotVisible("There is no such action.")
        done = _change(request, invoice, kind, made[kind])
        if done:
            messages.info(request, done)
            return htmx.redirect(request, reverse("partner_portal:invoice", args=[invoice.pk]))
        tell_refusal(request, made[kind])
    return render(request, "partner_portal/invoice.html", {**_facts(invoice), **made})


def _forms(request: ActorRequest, invoice: Invoice) -> dict[str, forms.Form]:
    kind, today = request.POST.get("form", ""), clock.local_date(clock.now(), invoice.account.time_zone)
    return {
        "pay": PaymentForm(invoice, today, request.POST if kind == "pay" else None),
        "void": VoidForm(request.POST if kind == "void" else None, auto_id="id_void_%s"),
        "write_off": WriteOffForm(request.POST if kind == "write_off" else None, auto_id="id_write_off_%s"),
    }


def _facts(invoice: Invoice) -> dict[str, Any]:
    now, period = clock.now(), invoice.period
    return {
        "invoice": invoice, "status": invoice_status(invoice, now.date()),
        "lines": list(invoice.lines.order_by("position")), "payments": list(invoice.payments.order_by("paid_on", "id")),
        "days": _service_days(invoice),
        "is_running": bool(period and period.period_end > now),
        "crumbs": [("Billing", reverse("partner_portal:billing")), ("Invoices", reverse("partner_portal:invoices"))],
    }  # fmt: skip


def _service_days(invoice: Invoice) -> tuple[date, date] | None:
    period = invoice.period
    return months_days(period.period_start, period.period_end, invoice.account.time_zone) if period else None


def _change(request: ActorRequest, invoice: Invoice, kind: str, form: forms.Form) -> str:
    """What was done, or nothing when the form has to be shown again."""
    acts: dict[str, tuple[Callable[..., object], str]] = {
        "pay": (record_payment, "The payment was recorded."),
        "void": (void_invoice, "The invoice is void. Its number stays taken."),
        "write_off": (write_off_invoice, "The invoice is written off. A payment can still be recorded."),
    }
    act, told = acts[kind]
    done = submit(form, lambda data: act(actor=request.actor, now=clock.now(), invoice=invoice, **data))
    return told if done else ""


@require_POST
@requires(Audience.STAFF, "billing.manage")
def issue(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    invoice = get_invoice(request.actor, invoice_id)
    return perform(
        request,
        lambda: issue_invoice(actor=request.actor, now=clock.now(), invoice=invoice),
        done="The invoice is issued and on its way.",
        next_url=reverse("partner_portal:invoice", args=[invoice.pk]),
    )


@require_POST
@requires(Audience.STAFF, "billing.manage")
def issue_drafts(request: ActorRequest) -> HttpResponse:
    """All drafts of ended months that the person saw counted on the page, oldest first."""
    drafts = list(drafts_to_review(request.actor)[:MOST_AT_ONCE])
    return perform(
        request,
        lambda: issue_invoices(actor=request.actor, now=clock.now(), invoices=drafts),
        done=f"{count_of(len(drafts), 'invoice')} issued and on the way.",
        next_url=reverse("partner_portal:invoices"),
    )


@require_GET
@requires(Audience.STAFF, "billing.view")
def download_invoice(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    """What was issued, byte by byte; a draft is typeset as it would be now."""
    invoice = get_invoice(request.actor, invoice_id)
    is_draft = invoice.status == InvoiceStatus.DRAFT
    content = (
        render_invoice_pdf(invoice) if is_draft else bytes(keep_document(invoice=invoice, now=clock.now()).content)
    )
    response = HttpResponse(content, content_type="application/pdf")
    name = invoice.number or "draft"
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response
