"""Who may act for the customer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.accounts.selectors import get_open_invitation, list_open_invitations
from apps.accounts.services import invite, revoke_invitation
from apps.core import clock
from apps.core.errors import AnticipatedError
from apps.customer_portal.forms import InviteForm, RoleForm
from apps.customer_portal.request import customer_of
from apps.customer_portal.selectors.members import customer_facts, describe_members, get_other_member
from apps.customers.services import change_member_role, remove_member


@require_GET
@requires(Audience.CUSTOMER, "portal.view")
def settings(request: ActorRequest) -> HttpResponse:
    return _show(request, InviteForm())


@require_POST
@requires(Audience.CUSTOMER, "members.manage")
def invite_member(request: ActorRequest) -> HttpResponse:
    customer, form = customer_of(request), InviteForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    try:
        invite(
            actor=request.actor, now=clock.now(), subject_key=customer.subject_key, subject_label=customer.name,
            **form.cleaned_data,
        )  # fmt: skip
    except AnticipatedError as error:
        form.add_error(error.field if error.field in form.fields else None, error.user_message)
        return _show(request, form, status=422)
    return _back(request, f"{form.cleaned_data['email']} was invited.")


@require_POST
@requires(Audience.CUSTOMER, "members.manage")
def withdraw_invitation(request: ActorRequest, invitation_id: UUID) -> HttpResponse:
    invitation = get_open_invitation(request.actor, invitation_id, customer_of(request).subject_key)
    revoke_invitation(actor=request.actor, now=clock.now(), invitation=invitation)
    return _back(request, f"The invitation of {invitation.email} was withdrawn.")


@require_POST
@requires(Audience.CUSTOMER, "members.manage")
def change_role(request: ActorRequest, membership_id: UUID) -> HttpResponse:
    membership = get_other_member(request.actor, customer_of(request), membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _back(request, "Choose one of the offered roles.")
    changed = change_member_role(
        actor=request.actor, now=clock.now(), membership=membership, role=form.cleaned_data["role"]
    )
    return _back(request, f"{membership.user} is now {changed.get_role_display().lower()}.")


@require_POST
@requires(Audience.CUSTOMER, "members.manage")
def remove(request: ActorRequest, membership_id: UUID) -> HttpResponse:
    membership = get_other_member(request.actor, customer_of(request), membership_id)
    remove_member(actor=request.actor, now=clock.now(), membership=membership)
    return _back(request, f"{membership.user} no longer acts for {customer_of(request).name}.")


def _back(request: ActorRequest, message: str) -> HttpResponse:
    messages.info(request, message)
    return HttpResponseRedirect(reverse("customer_portal:settings"))


def _show(request: ActorRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    customer = customer_of(request)
    may_manage = request.actor.can("members.manage")
    context = {
        "customer": customer,
        "facts": customer_facts(customer),
        "members": describe_members(customer, request.actor),
        "invitations": list_open_invitations(request.actor, customer.subject_key) if may_manage else [],
        "may_manage": may_manage,
        "form": form,
        "now": clock.now(),
    }
    return render(request, "customer_portal/settings.html", context, status=status)
