"""The list of customers, adding one, changing one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.planes import require_tenant_schema
from apps.customers.models import Lifecycle
from apps.customers.selectors import get_customer, list_customers
from apps.customers.services import archive_customer, create_customer, update_customer
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.customer_page import customer_crumbs
from apps.partner_portal.exports import FORMATS, export_table
from apps.partner_portal.forms.customers import CustomerForm, CustomerSettingsForm
from apps.partner_portal.selectors.customers import CustomerRow, customer_rows
from apps.tenants.selectors import get_partner_of_schema
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.links import link_to
from apps.ui.paging import Page, page_queryset
from apps.ui.tables import Column, Table, build_table

ENGINEERING = (
    Column("health", "Health", "status", value="health.status"),
    Column("integrations", "Live integrations", "number", value="health.live_count", wide_only=True),
    Column("fresh", "In step until", "datetime", value="health.in_step_until"),
    Column("errors", "Open errors", "number", value="health.open_error_count"),
)
PROMISE = Column("sla", "SLA this month", "status", value="sla.status", sub="sla.summary")
MONEY = (
    Column("plan", "Plan", value="plan_name", wide_only=True),
    Column("mrr", "Monthly", "money", value="monthly"),
)


@require_GET
@requires(Audience.STAFF, "customers.view")
def show_customers(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request, [Filter("stage", "Stage", Lifecycle.choices)], search_placeholder="Filter customers", exports=FORMATS
    )
    found = list_customers(request.actor, search=filters.search)
    if filters.chosen("stage"):
        found = found.filter(lifecycle__in=filters.chosen("stage"))
    page: Page[Any] = page_queryset(found, request, order=("name", "id"))
    total = found.count()
    table = _table(request, customer_rows(request.actor, page.items, clock.now()), total)
    if request.GET.get("format") in FORMATS:
        return export_table(table, name="customers", format=request.GET["format"])
    context = {"filters": filters, "page": page, "table": table, "total": total}
    return htmx.render_page(request, "partner_portal/customers.html", "partner_portal/_customer_rows.html", context)


def _table(request: ActorRequest, rows: list[CustomerRow], total: int) -> Table:
    columns = [Column("name", "Customer", value="customer.name", main=True)]
    columns += ENGINEERING if request.actor.can("integrations.view") else ()
    columns += [PROMISE] if request.actor.can("sla.view") else []
    columns += MONEY if request.actor.can("billing.view") else ()
    columns.append(Column("owner", "Owner", value="customer.owner", wide_only=True, shrink=True))
    return build_table(
        rows, columns, caption="Customers", total=total, noun="customers",
        url=lambda row: link_to("partner_portal:customer")(row.customer.pk),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "customers.manage")
def add_customer(request: ActorRequest) -> HttpResponse:
    partner = get_partner_of_schema(require_tenant_schema())
    start = {"currency": partner.currency, "time_zone": partner.time_zone, "owner": request.actor.id}
    form = CustomerForm(request.POST or None, initial=start)
    if request.method == "POST":
        customer = submit(form, lambda data: create_customer(actor=request.actor, now=clock.now(), **data))
        if customer is not None:
            messages.info(request, f"{customer.name} was added. Connect its systems next.")
            return htmx.redirect(request, reverse("partner_portal:customer", args=[customer.pk]))
    return render(request, "partner_portal/customer_add.html", {"form": form})


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "customers.manage")
def edit_customer(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    form = CustomerSettingsForm(request.POST or None, initial=CustomerSettingsForm.initial_of(customer))
    if request.method == "POST":
        saved = submit(
            form, lambda data: update_customer(actor=request.actor, now=clock.now(), customer=customer, **data)
        )
        if saved is not None:
            messages.info(request, "The details were saved.")
            return htmx.redirect(request, reverse("partner_portal:customer", args=[customer.pk]))
    return render(
        request,
        "partner_portal/customer_edit.html",
        {"form": form, "customer": customer, "crumbs": customer_crumbs(customer)},
    )


@require_POST
@requires(Audience.STAFF, "customers.manage")
def retire_customer(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    return perform(
        request,
        lambda: archive_customer(actor=request.actor, now=clock.now(), customer=customer),
        done=f"{customer.name} was archived. Its history stays.",
        next_url=reverse("partner_portal:customers"),
    )
