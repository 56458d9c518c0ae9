"""One customer: overview with the live map, its people, what was done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.accounts.invitations import role_label
from apps.accounts.selectors import get_open_invitation, list_open_invitations
from apps.accounts.services import invite, revoke_invitation
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.errors import NotVisible
from apps.core.regions import country_name
from apps.customers.models import Customer, CustomerMembership, Lifecycle
from apps.customers.selectors import get_customer, list_members
from apps.customers.services import remove_member
from apps.monitoring.selectors import list_exceptions, standing_by
from apps.partner_portal.actions import perform, submit
from apps.partner_portal.customer_page import render_tab
from apps.partner_portal.forms.customers import InviteForm
from apps.partner_portal.needs import customer_needs, exceptions_need
from apps.partner_portal.selectors.activity import ActivityEntry, customer_activity, describe
from apps.partner_portal.selectors.health import customer_health, flows_with_last_run
from apps.partner_portal.selectors.maps import customer_map
from apps.partner_portal.selectors.onboarding import onboarding_steps
from apps.ui import htmx
from apps.ui.markup import copy_id
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table

RECENT = 6


@require_GET
@requires(Audience.STAFF, "customers.view")
def show_customer(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer, now = get_customer(request.actor, customer_id), clock.now()
    steps = onboarding_steps(request.actor, customer, now)
    context: dict[str, Any] = {
        "facts": _facts(customer),
        "steps": [] if all(step.is_done for step in steps) else steps,
        "done_count": sum(step.is_done for step in steps),
        "activity": _by_time(customer_activity(request.actor, customer)[:RECENT]),
    }
    if request.actor.can("integrations.view"):
        flows = flows_with_last_run(request.actor, customer_ids=[customer.pk])
        health = customer_health(request.actor, [customer], now, flows=flows)[customer.pk]
        live = customer_map(request.actor, customer, flows, now)
        context |= {
            "live": live, "health": health, "needs": customer_needs(health, live.flows),
            "map_url": reverse("partner_portal:customer_map", args=[customer.pk]),
        }  # fmt: skip
    if request.actor.can("exceptions.view"):
        own = list_exceptions(request.actor).for_customer(customer).needing_somebody(now)
        standing = standing_by(own, "customer_id").get(customer.pk)
        found = [exceptions_need(standing, customer, across=False)] if standing else []
        context["needs"] = [*context.get("needs", []), *found]
    return render_tab(request, customer, "customer", context)


@require_GET
@requires(Audience.STAFF, "integrations.view")
def show_customer_map(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    flows = flows_with_last_run(request.actor, customer_ids=[customer.pk])
    live = customer_map(request.actor, customer, flows, clock.now())
    url = reverse("partner_portal:customer_map", args=[customer.pk])
    return render(request, "partner_portal/_map.html", {"live": live, "map_url": url})


def _by_time(events: Iterable[AuditEvent]) -> list[ActivityEntry]:
    """What was written down late stands where it happened."""
    return sorted((describe(event) for event in events), key=lambda entry: entry.at, reverse=True)


def _facts(customer: Customer) -> list[tuple[str, object]]:
    contact = " · ".join(filter(None, [customer.contact_name, customer.contact_email]))
    return [
        ("Stage", Lifecycle(customer.lifecycle).label),
        ("Owner", customer.owner),
        ("Contact", contact),
        ("Currency", customer.currency),
        ("Time zone", customer.time_zone.replace("_", " ")),
        ("Country", country_name(customer.country)),
        ("Id", SafeString(copy_id(customer.pk, short=True))),
    ]


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "customers.view")
def show_users(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    form = InviteForm(request.POST or None)
    if request.method == "POST":
        request.actor.require("customers.manage")
        sent = submit(
            form,
            lambda data: invite(
                actor=request.actor,
                now=clock.now(),
                subject_key=customer.subject_key,
                subject_label=customer.name,
                **data,
            ),
        )
        if sent is not None:
            messages.info(request, f"An invitation is on its way to {sent.email}.")
            return htmx.redirect(request, reverse("partner_portal:customer_users", args=[customer.pk]))
    members = list(list_members(customer))
    table = build_table(members, MEMBER_COLUMNS, caption="People of the customer", noun="people")
    invitations = [
        (invitation, role_label(invitation))
        for invitation in list_open_invitations(request.actor, customer.subject_key)
    ]
    context = {"form": form, "table": table, "invitations": invitations, "now": clock.now()}
    return render_tab(request, customer, "customer_users", context)


def _role(membership: CustomerMembership) -> str:
    return str(membership.get_role_display())


MEMBER_COLUMNS = (
    Column("name", "Name", value="user", sub="user.email", main=True),
    Column("role", "Role", "tag", value=_role),
    Column("state", "State", "status", value=lambda m: status_of("active" if m.user.is_active else "deactivated")),
    Column("created_at", "Since", "datetime"),
    Column("actions", "Actions", template="partner_portal/_member_actions.html", hidden_label=True, shrink=True),
)


@require_POST
@requires(Audience.STAFF, "customers.manage")
def end_membership(request: ActorRequest, customer_id: UUID, membership_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    membership = list_members(customer).filter(pk=membership_id).select_related("customer").first()
    if membership is None:
        raise NotVisible("There is no such person.")
    return perform(
        request,
        lambda: remove_member(actor=request.actor, now=clock.now(), membership=membership),
        done=f"{membership.user} no longer acts for {customer.name}.",
        next_url=reverse("partner_portal:customer_users", args=[customer.pk]),
    )


@require_POST
@requires(Audience.STAFF, "customers.manage")
def withdraw_invitation(request: ActorRequest, customer_id: UUID, invitation_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    invitation = get_open_invitation(request.actor, invitation_id, customer.subject_key)
    return perform(
        request,
        lambda: revoke_invitation(actor=request.actor, now=clock.now(), invitation=invitation),
        done=f"The invitation to {invitation.email} was withdrawn.",
        next_url=reverse("partner_portal:customer_users", args=[customer.pk]),
    )


@require_GET
@requires(Audience.STAFF, "customers.view")
def show_activity(request: ActorRequest, customer_id: UUID) -> HttpResponse:
    customer = get_customer(request.actor, customer_id)
    page = page_queryset(customer_activity(request.actor, customer), request, order=("-id",))
    context = {"page": page, "entries": _by_time(page)}
    return render_tab(request, customer, "customer_activity", context, partial="_activity.html")
