"""Outgoing webhooks: who is told of what, and the secrets that prove us."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.customers.models import Customer
from apps.events.registry import shared_event_types
from apps.notifications.models import EndpointStatus, WebhookEndpoint
from apps.notifications.selectors import get_endpoint, list_endpoints, with_traffic
from apps.notifications.services import (
    create_endpoint,
    pause_endpoint,
    remove_endpoint,
    resume_endpoint,
    rotate_secret,
    send_test,
    update_endpoint,
)
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.webhooks import EndpointForm, initial_of
from apps.partner_portal.views.settings_tabs import settings_tabs
from apps.ui import htmx
from apps.ui.status import Status, Tone
from apps.ui.tables import Column, build_table

TRAFFIC = timedelta(days=7)


def endpoint_status(endpoint: WebhookEndpoint) -> Status:
    if endpoint.status == EndpointStatus.DISABLED:
        return Status("Switched off", Tone.FAILING, "alert-circle")
    if endpoint.status == EndpointStatus.PAUSED:
        return Status("Paused", Tone.IDLE, "player-pause")
    if endpoint.failing_since:
        return Status("Failing", Tone.ATTENTION, "alert-triangle")
    return Status("Active", Tone.OK, "circle-check")


def hears_text(endpoint: WebhookEndpoint) -> str:
    if not endpoint.events:
        return "Every event"
    return endpoint.events[0] if len(endpoint.events) == 1 else f"{len(endpoint.events)} events"


def customer_names(request: ActorRequest, endpoints: Iterable[WebhookEndpoint]) -> dict[Any, str]:
    wanted = {endpoint.customer_id for endpoint in endpoints if endpoint.customer_id}
    found = Customer.objects.visible_to(request.actor).filter(pk__in=wanted)
    return {None: "All customers", **dict(found.values_list("pk", "name"))}


@require_GET
@requires(Audience.STAFF, "webhooks.view")
def show_endpoints(request: ActorRequest) -> HttpResponse:
    endpoints = list(with_traffic(list_endpoints(request.actor), clock.now() - TRAFFIC))
    names = customer_names(request, endpoints)
    columns = (
        Column("name", "Endpoint", value=str, sub=lambda e: e.url if e.description else "", main=True),
        Column("status", "State", "status", value=endpoint_status),
        Column("customer", "Of", value=lambda e: names.get(e.customer_id, "")),
        Column("hears", "Hears", value=hears_text, wide_only=True),
        Column("delivered", "Delivered in 7 days", "number", value="delivered_count"),
        Column("failed", "Not delivered", "number", value="failed_count"),
        Column("waiting", "Waiting", "number", value="waiting_count", wide_only=True),
        Column("last", "Last delivered", "datetime", value="last_delivered_at", wide_only=True),
    )
    table = build_table(
        endpoints, columns, caption="Endpoints", noun="endpoints",
        url=lambda endpoint: reverse("partner_portal:webhook", args=[endpoint.pk]),
    )  # fmt: skip
    context = {"tabs": settings_tabs(request, "webhooks"), "table": table}
    return render(request, "partner_portal/webhooks.html", context)


@require_GET
@requires(Audience.STAFF, "webhooks.view")
def show_event_types(request: ActorRequest) -> HttpResponse:
    """What can be heard, in which version and with which data."""
    types = [
        {
            "type": one,
            "fields": [(name, _kind(shown)) for name, shown in one.schema["properties"].items()],
        }
        for one in shared_event_types()
    ]
    context = {"types": types, "crumbs": [("Webhooks", reverse("partner_portal:webhooks"))]}
    return render(request, "partner_portal/event_types.html", context)


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "pattern" in schema:
        return f"id, {schema['pattern'].removeprefix('^').partition('_')[0]}_…"
    kind = schema.get("type", "any")
    words = [word for word in (kind if isinstance(kind, list) else [kind]) if word != "null"]
    return " or ".join(words) + (", or null" if isinstance(kind, list) and "null" in kind else "")


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "webhooks.manage")
@never_cache
def add_endpoint(request: ActorRequest) -> HttpResponse:
    form = EndpointForm(request.POST or None, actor=request.actor, initial={"contact_email": request.user.email})
    if request.method == "POST":
        made = submit(
            form,
            lambda given: create_endpoint(
                actor=request.actor, now=clock.now(), customer_id=form.customer_id(given), **form.chosen(given)
            ),
        )
        if made is not None:
            return _show_secret(request, *made)
    context = {"form": form, "crumbs": [("Webhooks", reverse("partner_portal:webhooks"))]}
    return render(request, "partner_portal/webhook_add.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "webhooks.manage")
def edit_endpoint(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_endpoint(request.actor, endpoint_id)
    own = reverse("partner_portal:webhook", args=[endpoint.pk])
    form = EndpointForm(request.POST or None, actor=request.actor, endpoint=endpoint, initial=initial_of(endpoint))
    if request.method == "POST":
        saved = submit(
            form,
            lambda given: update_endpoint(
                actor=request.actor, now=clock.now(), endpoint=endpoint, **form.chosen(given)
            ),
        )  # fmt: skip
        if saved is not None:
            return htmx.redirect(request, own)
    crumbs = [("Webhooks", reverse("partner_portal:webhooks")), (str(endpoint), own)]
    return render(
        request, "partner_portal/webhook_edit.html", {"form": form, "endpoint": endpoint, "crumbs": crumbs, "own": own}
    )


@require_POST
@requires(Audience.STAFF, "webhooks.manage")
@never_cache
def rotate(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_endpoint(request.actor, endpoint_id)
    secret = rotate_secret(actor=request.actor, now=clock.now(), endpoint=endpoint)
    return _show_secret(request, endpoint, secret, is_rotated=True)


def _show_secret(
    request: ActorRequest, endpoint: WebhookEndpoint, secret: str, *, is_rotated: bool = False
) -> HttpResponse:
    context = {"endpoint": endpoint, "secret": secret, "is_rotated": is_rotated}
    return render(request, "partner_portal/webhook_secret.html", context)


def _act(
    request: ActorRequest, endpoint_id: UUID, service: Callable[..., object], done: str, *, page: str = "webhook"
) -> HttpResponse:
    endpoint = get_endpoint(request.actor, endpoint_id)
    next_url = reverse(f"partner_portal:{page}", args=[endpoint.pk] if page == "webhook" else [])
    return perform(
        request,
        lambda: service(actor=request.actor, now=clock.now(), endpoint=endpoint),
        done=done,
        next_url=next_url,
    )


@require_POST
@requires(Audience.STAFF, "webhooks.manage")
def test(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    return _act(request, endpoint_id, send_test, "A test event is on its way. It is the first in the log.")


@require_POST
@requires(Audience.STAFF, "webhooks.manage")
def pause(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    return _act(request, endpoint_id, pause_endpoint, "Nothing is sent until you resume it; what happens waits.")


@require_POST
@requires(Audience.STAFF, "webhooks.manage")
def resume(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    return _act(request, endpoint_id, resume_endpoint, "The endpoint hears events again.")


@require_POST
@requires(Audience.STAFF, "webhooks.manage")
def remove(request: ActorRequest, endpoint_id: UUID) -> HttpResponse:
    return _act(request, endpoint_id, remove_endpoint, "The endpoint and its log are gone.", page="webhooks")
