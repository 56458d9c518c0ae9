"""How sure is sure: thresholds and points per kind of record, for everyone or for one customer."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.canonical.models import Entity
from apps.canonical.selectors import PolicyInForce, match_policies
from apps.canonical.services import reset_match_policy, set_match_policy
from apps.core import clock
from apps.core.errors import NotVisible
from apps.customers.models import Customer
from apps.customers.selectors import get_customer
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.forms.match_rules import MatchRulesForm
from apps.partner_portal.lists.runs import customer_choices
from apps.partner_portal.views.stewardship import TABS
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters

ORIGINS = {"shipped": "As shipped", "partner": "Your own", "customer": "This customer's own"}


@require_GET
@requires(Audience.STAFF, "records.view")
def show_rules(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request, [Filter("customer", "Customer", customer_choices(request), icon="users")], search_placeholder=""
    )
    customer = _customer(request)
    policies = [
        {"policy": p, "label": Entity(p.entity).label, "origin": ORIGINS[p.origin], "url": _url(p.entity, customer)}
        for p in match_policies(customer)
    ]
    context = {
        "policies": policies,
        "filters": filters,
        "customer": customer,
        "tabs": TABS.of(request, "match_rules"),
        "may_change": request.actor.can("integrations.manage"),
    }
    return htmx.render_page(request, "partner_portal/match_rules.html", "partner_portal/_match_rule_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_rules(request: ActorRequest, entity: str) -> HttpResponse:
    customer, policy = _customer(request), _policy(request, entity)
    form = MatchRulesForm(policy, request.POST or None)
    if request.method == "POST":
        saved = submit(
            form,
            lambda data: set_match_policy(
                actor=request.actor, now=clock.now(), entity=entity, customer=customer,
                merge_score=data["merge_score"], ask_score=data["ask_score"], weights=form.weights,
            ),
        )  # fmt: skip
        if saved is not None:
            return htmx.redirect(request, _list_url(customer))
    context = {
        "form": form, "policy": policy, "customer": customer, "label": Entity(entity).label,
        "reset_url": reverse("partner_portal:match_rules_reset", args=[entity]) + _query(customer),
        "crumbs": [("Stewardship", reverse("partner_portal:questions")), ("Rules", _list_url(customer))],
    }  # fmt: skip
    return render(request, "partner_portal/match_rules_edit.html", context)


@require_POST
@requires(Audience.STAFF, "integrations.manage")
def reset_rules(request: ActorRequest, entity: str) -> HttpResponse:
    customer, policy = _customer(request), _policy(request, entity)
    return perform(
        request,
        lambda: reset_match_policy(actor=request.actor, now=clock.now(), entity=policy.entity, customer=customer),
        done="",
        next_url=_list_url(customer),
    )


def _customer(request: ActorRequest) -> Customer | None:
    chosen = request.GET.get("customer")
    if not chosen:
        return None
    try:
        return get_customer(request.actor, UUID(chosen))
    except ValueError:
        raise NotVisible("There is no such customer.") from None


def _policy(request: ActorRequest, entity: str) -> PolicyInForce:
    found = next((p for p in match_policies(_customer(request)) if p.entity == entity), None)
    if found is None:
        raise NotVisible("There are no rules for this kind of record.")
    return found


def _query(customer: Customer | None) -> str:
    return f"?customer={customer.pk}" if customer else ""


def _url(entity: str, customer: Customer | None) -> str:
    return reverse("partner_portal:match_rules_edit", args=[entity]) + _query(customer)


def _list_url(customer: Customer | None) -> str:
    return reverse("partner_portal:match_rules") + _query(customer)
