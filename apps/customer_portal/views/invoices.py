from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.models import Invoice
from apps.billing.selectors import get_invoice, list_invoices
from apps.billing.services import keep_document
from apps.core import clock
from apps.customer_portal.documents import pdf_response
from apps.customer_portal.request import customer_of
from apps.customer_portal.selectors.invoices import describe_invoice, payment_state
from apps.ui.paging import page_queryset
from apps.ui.tables import Column, build_table


@require_GET
@requires(Audience.CUSTOMER, "invoices.view")
def invoice_list(request: ActorRequest) -> HttpResponse:
    today = clock.local_date(clock.now(), customer_of(request).time_zone)
    page = page_queryset(list_invoices(request.actor), request, order=("-created_at", "-id"))
    columns = [
        Column("number", "Invoice", main=True),
        Column("status", "State", kind="status", value=lambda invoice: payment_state(invoice, today)),
        Column("issue_date", "Date", kind="date"),
        Column("due_date", "Due", kind="date", wide_only=True),
        Column("total_amount", "Total", kind="money"),
        Column("paid_amount", "Paid", kind="money", wide_only=True),
    ]
    table = build_table(page.items, columns, caption="Invoices", url=_address, noun="invoices")
    return render(request, "customer_portal/invoice_list.html", {"table": table, "page": page})


@require_GET
@requires(Audience.CUSTOMER, "invoices.view")
def invoice_detail(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    invoice = get_invoice(request.actor, invoice_id)
    today = clock.local_date(clock.now(), customer_of(request).time_zone)
    context = {
        "crumbs": [("Invoices", reverse("customer_portal:invoice_list"))],
        "page": describe_invoice(invoice),
        "invoice": invoice,
        "status": payment_state(invoice, today),
    }
    return render(request, "customer_portal/invoice_detail.html", context)


@require_GET
@requires(Audience.CUSTOMER, "invoices.view")
def invoice_document(request: ActorRequest, invoice_id: UUID) -> HttpResponse:
    invoice = get_invoice(request.actor, invoice_id)
    return pdf_response(bytes(keep_document(invoice=invoice, now=clock.now()).content), f"invoice-{invoice.number}.pdf")


def _address(invoice: Invoice) -> str:
    return reverse("customer_portal:invoice_detail", args=[invoice.pk])
