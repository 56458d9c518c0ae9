"""Looking records up, and one record across all systems."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.models import CanonicalRecord, CrossReference, Entity
from apps.canonical.selectors import search_records
from apps.partner_portal.lists.runs import customer_choices
from apps.partner_portal.selectors.records import describe_record
from apps.sync.selectors import get_record, list_records
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.links import link_to
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table


def _number(record: CanonicalRecord) -> str:
    """Below the name, unless the name says it."""
    return "" if record.number in str(record) else record.number


COLUMNS = (
    Column("record", "Record", value=str, sub=_number, main=True),
    Column("entity", "Kind", "tag", value=lambda record: record.get_entity_display()),
    Column("customer", "Customer", value="customer.name"),
    Column(
        "state", "State", value=lambda record: status_of(record.state).label if record.state else "", wide_only=True
    ),
    Column("systems", "Known to", value=lambda record: ", ".join(sorted({r.connection.name for r in record.places}))),
    Column("changed_at", "Changed", "datetime"),
)


@require_GET
@requires(Audience.STAFF, "records.view")
def show_records(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request,
        [Filter("entity", "Kind", Entity.choices), Filter("customer", "Customer", customer_choices(request), icon="users")],
        search_placeholder="Name, number or id in a system",
    )  # fmt: skip
    found = list_records(request.actor)
    if filters.chosen("entity"):
        found = found.filter(entity__in=filters.chosen("entity"))
    if filters.chosen("customer"):
        found = found.filter(customer_id__in=filters.chosen("customer"))
    if filters.search:
        found = search_records(found, filters.search)
    known = CrossReference.objects.select_related("connection").filter(deleted_at=None)
    rows = found.select_related("customer").prefetch_related(
        Prefetch("cross_references", queryset=known, to_attr="places")
    )
    page = page_queryset(rows, request, order=("-changed_at", "-id"))
    table = build_table(
        page.items, COLUMNS, caption="Records", noun="records",
        url=lambda record: link_to("partner_portal:record")(record.pk),
    )  # fmt: skip
    context = {"filters": filters, "page": page, "table": table}
    return htmx.render_page(request, "partner_portal/records.html", "partner_portal/_record_rows.html", context)


@require_GET
@requires(Audience.STAFF, "records.view")
def show_record(request: ActorRequest, record_id: UUID) -> HttpResponse:
    record = get_record(request.actor, record_id)
    context = {
        "view": describe_record(request.actor, record), "record": record,
        "status": status_of(record.state) if record.state else None,
        "crumbs": [("Records", reverse("partner_portal:records"))],
        "subtitle": f"{record.get_entity_display()} of {record.customer.name}",
    }  # fmt: skip
    return render(request, "partner_portal/record.html", context)
