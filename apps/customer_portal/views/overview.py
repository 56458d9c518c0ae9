from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import ActorRequest, Audience, requires
from apps.core import clock
from apps.customer_portal.cards import flow_cards, need_cards
from apps.customer_portal.maps import draw_map
from apps.customer_portal.request import customer_of
from apps.customer_portal.selectors.landscape import get_landscape
from apps.customer_portal.selectors.month import month_figures
from apps.customer_portal.selectors.needs import (
    by_cause,
    count_decisions,
    explain,
    list_failures_to_fix,
    list_waiting_connections,
)
from apps.customer_portal.summary import summarize
from apps.customers.access import choose_customer

SHOWN_NEEDS = 3
NEWEST = 100  # records looked through for what has the same cause


@require_GET
@requires(Audience.CUSTOMER, "portal.view")
def overview(request: ActorRequest) -> HttpResponse:
    customer = customer_of(request)
    figures = month_figures(request.actor, customer, clock.now())
    return render(request, "customer_portal/overview.html", {**_state(request), "customer": customer, "month": figures})


@require_GET
@requires(Audience.CUSTOMER, "portal.view")
def overview_state(request: ActorRequest) -> HttpResponse:
    """The part of the overview that renews itself: sentence, needs, map and freshness."""
    return render(request, "customer_portal/_overview_state.html", _state(request))


def _state(request: ActorRequest) -> dict[str, Any]:
    now, actor = clock.now(), request.actor
    landscape = get_landscape(actor, now)
    newest = list_failures_to_fix(actor).order_by("-last_at", "-id")[:NEWEST]
    causes = by_cause(explain(failure) for failure in newest)
    needs = need_cards(
        list_waiting_connections(actor), causes, may_connect=actor.can("connections.authorize"),
        decisions=count_decisions(actor, now),
    )  # fmt: skip
    return {
        "landscape": landscape,
        "summary": summarize(landscape),
        "map": draw_map(landscape, now),
        "flows": flow_cards(landscape.flows),
        "needs": needs[:SHOWN_NEEDS],
    }


@require_GET
@requires(Audience.CUSTOMER, "portal.view")
def choose(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    choose_customer(session=request.session, user=request.user, customer_id=customer_id)
    return HttpResponseRedirect(reverse("customer_portal:overview"))
