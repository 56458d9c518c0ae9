from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.backoffice.forms import PartnerForm, SuspendForm
from apps.backoffice.selectors.partners import get_partner, list_hosts, list_trail, search_partners
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.provisioning.services import provision_partner, resume_partner, suspend_partner
from apps.tenants.models import Partner, PartnerStatus
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.paging import page_queryset
from apps.ui.tables import Column, build_table

COLUMNS = [
    Column("name", "Partner", main=True, sub="host"),
    Column("status", "State", kind="status", value=lambda partner: PartnerStatus(partner.status)),
    Column("currency", "Currency", wide_only=True),
    Column("time_zone", "Time zone", wide_only=True),
    Column("created_at", "Created", kind="datetime"),
]


@require_GET
@requires(Audience.OPERATOR, "partners.view")
def home(request: ActorRequest) -> HttpResponse:
    return HttpResponseRedirect(reverse("backoffice:partner_list"))


@require_GET
@requires(Audience.OPERATOR, "partners.view")
def partner_list(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request, [Filter("status", "State", PartnerStatus.choices)], search_placeholder="Filter partners"
    )
    found = search_partners(request.actor, filters.search, filters.chosen("status"))
    page = page_queryset(found, request, order=("name", "id"))
    table = build_table(page.items, COLUMNS, caption="Partners", url=_address, noun="partners")
    context: dict[str, Any] = {"filters": filters, "page": page, "table": table, "total": found.count()}
    return htmx.render_page(request, "backoffice/partner_list.html", "backoffice/_partner_rows.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.OPERATOR, "partners.manage")
def create(request: ActorRequest) -> HttpResponse:
    form = PartnerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            partner = provision_partner(actor=request.actor, new=form.to_new_partner(), now=clock.now())
        except AnticipatedError as error:
            form.add_error(error.field if error.field in form.fields else None, error.user_message)
        else:
            messages.success(request, f"{partner.name} is ready.")
            return HttpResponseRedirect(_address(partner))
    context = {"form": form, "crumbs": [("Partners", reverse("backoffice:partner_list"))]}
    return render(request, "backoffice/partner_create.html", context, status=422 if form.errors else 200)


@require_GET
@requires(Audience.OPERATOR, "partners.view")
def partner_detail(request: ActorRequest, partner_id: UUID) -> HttpResponse:
    partner = get_partner(request.actor, partner_id)
    return _show(request, partner, SuspendForm(slug=partner.slug))


@require_POST
@requires(Audience.OPERATOR, "partners.manage")
def suspend(request: ActorRequest, partner_id: UUID) -> HttpResponse:
    partner = get_partner(request.actor, partner_id)
    form = SuspendForm(request.POST, slug=partner.slug)
    if not form.is_valid():
        return _show(request, partner, form, status=422)
    try:
        suspend_partner(actor=request.actor, partner=partner, reason=form.cleaned_data["reason"], now=clock.now())
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    return HttpResponseRedirect(_address(partner))


@require_POST
@requires(Audience.OPERATOR, "partners.manage")
def resume(request: ActorRequest, partner_id: UUID) -> HttpResponse:
    partner = get_partner(request.actor, partner_id)
    try:
        resume_partner(actor=request.actor, partner=partner, now=clock.now())
    except AnticipatedError as error:
        messages.error(request, error.user_message)
    return HttpResponseRedirect(_address(partner))


def _address(partner: Partner) -> str:
    return reverse("backoffice:partner_detail", args=[partner.pk])


def _show(request: ActorRequest, partner: Partner, form: SuspendForm, status: int = 200) -> HttpResponse:
    context = {
        "partner": partner,
        "crumbs": [("Partners", reverse("backoffice:partner_list"))],
        "status": PartnerStatus(partner.status),
        "facts": [
            ("Address", partner.slug),
            ("Hosts", ", ".join(host.domain for host in list_hosts(partner))),
            ("Currency", partner.currency),
            ("Time zone", partner.time_zone),
            ("Schema", partner.schema_name),
        ],
        "runs": partner.provisioning_runs.order_by("-started_at"),
        "trail": list_trail(partner),
        "form": form,
    }
    return render(request, "backoffice/partner_detail.html", context, status=status)
