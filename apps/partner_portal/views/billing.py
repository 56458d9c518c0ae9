"""What do I earn, who owes me? Invoices, subscriptions, and who issues them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.documents import render_invoice_pdf
from apps.billing.models import BillingAccount, Invoice, InvoiceStatus, LegalEntity, Subscription, SubscriptionStatus
from apps.billing.selectors import get_invoice, list_invoices, monthly_recurring_revenue, receivables
from apps.billing.services import issue_invoice, record_payment, update_legal_entity, void_invoice
from apps.core import clock
from apps.core.errors import NotVisible
from apps.partner_portal.actions import perform, submit, tell_refusal
from apps.partner_portal.forms.billing import LegalEntityForm, PaymentForm, VoidForm
from apps.partner_portal.lists.money import invoice_status, invoices_table
from apps.partner_portal.needs import count_of
from apps.partner_portal.tabs import Tabs
from apps.partner_portal.wording import months_days
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.formatting import money_text
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table

TABS = Tabs(
    ("billing", "Invoices", "billing.view"), ("subscriptions", "Subscriptions", "billing.view"),
    ("plans", "Plans", "billing.view"), ("legal_entity", "Your company", "billing.manage"),
)  # fmt: skip


@require_GET
@requires(Audience.STAFF, "billing.view")
def show_invoices(request: ActorRequest) -> HttpResponse:
    now = clock.now()
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
        "tabs": TABS.of(request, "billing"), "filters": filters, "page": page,
        "table": invoices_table(page.items, now.date(), across=True),
    }  # fmt: skip
    if not htmx.is_partial(request):
        context["tiles"] = _tiles(now)
    return htmx.render_page(request, "partner_portal/billing.html", "partner_portal/_invoice_rows.html", context)


def _tiles(now: Any) -> list[dict[str, Any]]:
    tiles = [
        {
            "label": "Monthly recurring revenue", "value": money_text(found.money.amount, found.money.currency),
            "foot": f"{count_of(found.subscription_count, 'subscription')}",
        }
        for found in monthly_recurring_revenue(now)
    ]  # fmt: skip
    for owed in receivables(now):
        late = owed.overdue
        tiles.append(
            {
                "label": "Outstanding", "value": money_text(owed.outstanding.amount, owed.outstanding.currency),
                "foot": f"{money_text(late.amount, late.currency)} overdue" if late.amount else f"{count_of(owed.invoice_count, 'open invoice')}, none overdue",
            }
        )  # fmt: skip
    return tiles


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "billing.view")
def show_invoice(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    """The page with its forms; a posted payment or reason to void ends here when it does not fit."""
    invoice = get_invoice(request.actor, invoice_id)
    kind = request.POST.get("form", "")
    pay = PaymentForm(invoice, request.POST if kind == "pay" else None, initial={"paid_on": clock.now().date()})
    void = VoidForm(request.POST if kind == "void" else None)
    if request.method == "POST":
        request.actor.require("billing.manage")
        done = _change(request, invoice, kind, pay, void)
        if done:
            messages.info(request, done)
            return htmx.redirect(request, reverse("partner_portal:invoice", args=[invoice.pk]))
        tell_refusal(request, pay if kind == "pay" else void)
    context = {
        "invoice": invoice, "status": invoice_status(invoice, clock.now().date()),
        "lines": list(invoice.lines.order_by("position")), "payments": list(invoice.payments.order_by("paid_on", "id")),
        "pay": pay, "void": void, "owed": invoice.total_amount - invoice.paid_amount,
        "days": _service_days(invoice), "is_running": bool(invoice.period and invoice.period.period_end > clock.now()),
        "crumbs": [("Billing", reverse("partner_portal:billing"))],
    }  # fmt: skip
    return render(request, "partner_portal/invoice.html", context)


def _service_days(invoice: Invoice) -> tuple[date, date] | None:
    period = invoice.period
    return months_days(period.period_start, period.period_end, invoice.account.time_zone) if period else None


def _change(request: ActorRequest, invoice: Invoice, kind: str, pay: PaymentForm, void: VoidForm) -> str:
    actor, now = request.actor, clock.now()
    if kind == "pay":
        paid = submit(pay, lambda data: record_payment(actor=actor, now=now, invoice=invoice, **data))
        return "The payment was recorded." if paid else ""
    if kind == "void":
        voided = submit(void, lambda data: void_invoice(actor=actor, now=now, invoice=invoice, reason=data["reason"]))
        return "The invoice is void. Its number stays taken." if voided else ""
    raise NotVisible("There is no such action.")


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


@require_GET
@requires(Audience.STAFF, "billing.view")
def download_invoice(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    """What was issued, byte by byte; a draft is typeset as it would be now."""
    invoice = get_invoice(request.actor, invoice_id)
    kept = getattr(invoice, "document", None)
    content = bytes(kept.content) if kept is not None else render_invoice_pdf(invoice)
    response = HttpResponse(content, content_type="application/pdf")
    name = invoice.number or "draft"
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


SUBSCRIPTION_COLUMNS = (
    Column("customer", "Customer", value="account.legal_name", main=True),
    Column("plan", "Plan", value=lambda s: str(s.plan_version)),
    Column("state", "State", "status", value=lambda s: status_of(s.status, label=s.get_status_display())),
    Column("since", "Since", "datetime", value="started_at"),
    Column("ended", "Ended", "datetime", value="canceled_at", wide_only=True),
)


@require_GET
@requires(Audience.STAFF, "billing.view")
def show_subscriptions(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request, [Filter("state", "State", SubscriptionStatus.choices)], search_placeholder="Customer or plan"
    )
    accounts = BillingAccount.objects.visible_to(request.actor)
    if filters.search:
        accounts = accounts.filter(legal_name__icontains=filters.search)
    found = Subscription.objects.filter(account__in=accounts).select_related("account", "plan_version__plan")
    if filters.chosen("state"):
        found = found.filter(status__in=filters.chosen("state"))
    page = page_queryset(found, request, order=("-started_at", "-id"))
    table = build_table(
        page.items, SUBSCRIPTION_COLUMNS, caption="Subscriptions", noun="subscriptions", url=_account_url
    )
    context = {"tabs": TABS.of(request, "subscriptions"), "filters": filters, "page": page, "table": table}
    return htmx.render_page(
        request, "partner_portal/subscriptions.html", "partner_portal/_subscription_rows.html", context
    )


def _account_url(subscription: Subscription) -> str:
    kind, _, key = subscription.account.subject_key.partition(":")
    return reverse("partner_portal:customer_billing", args=[key]) if kind == "customer" else ""


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "billing.manage")
def edit_legal_entity(request: ActorRequest) -> HttpResponse:
    entity = LegalEntity.objects.filter(is_default=True).first()
    if entity is None:
        raise NotVisible("There is no issuing company yet.")
    form = LegalEntityForm(request.POST or None, initial=LegalEntityForm.initial_of(entity))
    if request.method == "POST":
        saved = submit(
            form, lambda data: update_legal_entity(actor=request.actor, now=clock.now(), entity=entity, **data)
        )
        if saved is not None:
            messages.info(request, "Saved. Invoices issued from now on show it.")
            return htmx.redirect(request, reverse("partner_portal:legal_entity"))
    context = {"tabs": TABS.of(request, "legal_entity"), "form": form, "entity": entity}
    return render(request, "partner_portal/legal_entity.html", context)
