"""Jumping to anything by name: customers, integrations, runs by id, pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core.actor import Actor
from apps.customers.selectors import list_customers
from apps.flows.models import Integration
from apps.partner_portal.frame import allowed_entries
from apps.partner_portal.lists.integrations import page_url
from apps.sync.models import SyncRun

LIMIT = 6
Item = dict[str, str]


@require_GET
@requires(Audience.STAFF)
def search(request: ActorRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:100]
    groups = [("Customers", _customers(request.actor, text)), ("Integrations", _integrations(request.actor, text))]
    groups = [("Runs", _runs(request.actor, text)), *groups, ("Pages", _pages(request.actor, text))]
    found: list[dict[str, Any]] = [{"label": label, "items": items} for label, items in groups if items]
    return JsonResponse({"groups": found})


def _customers(actor: Actor, text: str) -> list[Item]:
    if not text or not actor.can("customers.view"):
        return []
    found = list_customers(actor, search=text)[:LIMIT]
    return [
        _item(c.name, reverse("partner_portal:customer", args=[c.pk]), "users", c.get_lifecycle_display())
        for c in found
    ]


def _integrations(actor: Actor, text: str) -> list[Item]:
    if not text or not actor.can("integrations.view"):
        return []
    found = Integration.objects.visible_to(actor).filter(name__icontains=text).select_related("customer")
    return [_item(i.name, page_url(i), "route", i.customer.name) for i in found.order_by("name", "id")[:LIMIT]]


def _runs(actor: Actor, text: str) -> list[Item]:
    """By the whole id."""
    if not actor.can("runs.view"):
        return []
    runs = SyncRun.objects.visible_to(actor).select_related("flow", "customer")
    try:
        found = runs.filter(pk=UUID(text))
    except ValueError:
        return []
    return [
        _item(r.flow.name, reverse("partner_portal:run", args=[r.pk]), "player-play", r.customer.name) for r in found
    ]


def _pages(actor: Actor, text: str) -> list[Item]:
    wanted = text.lower()
    pages = [_item(entry.label, url, entry.icon, "") for entry, url in allowed_entries(actor)]
    if actor.can("customers.manage"):
        pages.append(_item("Add customer", reverse("partner_portal:customer_add"), "plus", ""))
    return [page for page in pages if wanted in page["label"].lower()][:LIMIT]


def _item(label: str, url: str, icon: str, hint: object) -> Item:
    return {"label": label, "url": url, "icon": icon, "hint": str(hint)}
