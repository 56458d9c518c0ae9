"""The waves of a customer's plan, and the whole estate as a file: brought with a look at what changes, and taken away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.customers.models import Customer
from apps.customers.selectors import get_customer
from apps.modernization.estate import as_csv, as_yaml
from apps.modernization.selectors import get_wave, list_interfaces, list_waves
from apps.modernization.services import (
    add_wave,
    apply_estate,
    change_wave,
    draft_of_wave,
    plan_estate,
    remove_wave,
)
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.customer_page import customer_crumbs
from apps.partner_portal.forms.modernization import EstateForm, WaveForm
from apps.partner_portal.views.modernization import TAB
from apps.ui import htmx
from apps.ui.formatting import noun_text


def _inventory(customer_id: UUID) -> str:
    return reverse(f"partner_portal:{TAB}", args=[customer_id])


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def new_wave(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    form = WaveForm(request.POST or None)
    if request.method == "POST":
        made = submit(
            form,
            lambda data: add_wave(actor=request.actor, now=clock.now(), customer=customer, draft=form.draft(data)),
        )
        if made is not None:
            return htmx.redirect(request, _inventory(customer.pk))
    context = {"form": form, "customer": customer, "crumbs": customer_crumbs(customer, TAB)}
    return render(request, "partner_portal/migration_wave.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_wave(request: ActorRequest, wave_id: UUID) -> HttpResponse:
    wave = get_wave(request.actor, wave_id)
    form = WaveForm(request.POST or None, initial=WaveForm.initial_of(draft_of_wave(wave)))
    if request.method == "POST":
        changed = submit(
            form,
            lambda data: change_wave(
                actor=request.actor, now=clock.now(), wave=wave, draft=form.draft(data), seen=data["seen"]
            ),
        )  # fmt: skip
        if changed is not None:
            return htmx.redirect(request, _inventory(wave.customer_id))
    context = {
        "form": form, "wave": wave, "customer": wave.customer, "crumbs": customer_crumbs(wave.customer, TAB),
        "is_empty": not wave.interfaces.exists(),
    }  # fmt: skip
    return render(request, "partner_portal/migration_wave.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def drop_wave(request: ActorRequest, wave_id: UUID) -> HttpResponse:
    wave = get_wave(request.actor, wave_id)
    return perform(
        request,
        lambda: remove_wave(actor=request.actor, now=clock.now(), wave=wave),
        done=f"{wave} is removed.",
        next_url=_inventory(wave.customer_id),
    )


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def bring_estate(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    """What a file would change is shown first, and done when it is confirmed."""
    customer = get_customer(request.actor, customer_id)
    form = EstateForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form, "customer": customer, "crumbs": customer_crumbs(customer, TAB)}
    if request.method == "POST" and form.is_valid():
        own = {"actor": request.actor, "now": clock.now(), "customer": customer, "text": form.cleaned_data["source"]}
        try:
            if "confirmed" in request.POST:
                count = len(apply_estate(**own).changes)
                messages.info(request, f"Carried out: {count:,} {noun_text(count, 'changes')}.")
                return htmx.redirect(request, _inventory(customer.pk))
            context |= {"plan": plan_estate(**own), "text": form.cleaned_data["source"]}
        except AnticipatedError as error:
            form.add_error("source", error.user_message)
    return render(request, "partner_portal/estate.html", context, status=422 if form.errors else 200)


@require_GET
@requires(Audience.STAFF, "integrations.view")
def take_estate(request: ActorRequest, customer_id: UUID, estate_format: str) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    if estate_format not in ("csv", "yaml"):
        raise Http404
    text = estate_text(request, customer, estate_format)
    kind = "text/csv" if estate_format == "csv" else "application/yaml"
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{customer.slug}-interfaces.{estate_format}"'
    return response


def estate_text(request: ActorRequest, customer: Customer, estate_format: str) -> str:
    interfaces = list_interfaces(request.actor).filter(customer=customer)
    if estate_format == "csv":
        return as_csv(interfaces)
    waves = list_waves(request.actor).filter(customer=customer)
    return as_yaml(customer, waves, interfaces.prefetch_related("points"))
