"""The partner's own people."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.accounts.access import ActorRequest, Audience, requires
from apps.accounts.invitations import role_label
from apps.accounts.models import Invitation, StaffMembership
from apps.accounts.policies import StaffRole
from apps.accounts.selectors import (
    get_member,
    get_open_invitation,
    list_open_invitations,
    list_team,
    people_with_second_factor,
)
from apps.accounts.services import (
    change_role,
    deactivate,
    invite,
    reactivate,
    revoke_invitation,
    transfer_ownership,
)
from apps.core import clock
from apps.core.errors import AnticipatedError, NotVisible
from apps.partner_portal.forms.team import InviteForm
from apps.partner_portal.views.settings_tabs import answer, settings_tabs

_GIVEN_ROLES = [(role.value, role.label) for role in StaffRole if role is not StaffRole.OWNER]


@requires(Audience.STAFF, "team.view")
def member_list(request: ActorRequest) -> HttpResponse:
    members = list(list_team(request.actor))
    now = clock.now()
    context = {
        "tabs": settings_tabs(request, "team"),
        "members": members,
        "protected": people_with_second_factor([member.user_id for member in members]),
        "invitations": [
            (invitation, role_label(invitation), invitation.is_open(now))
            for invitation in list_open_invitations(request.actor)
        ],
        "roles": _GIVEN_ROLES,
        "can_manage": request.actor.can("team.manage"),
        "can_transfer": request.actor.can("partner.transfer"),
    }
    return render(request, "partner_portal/team.html", context)


@requires(Audience.STAFF, "team.manage")
def invite_member(request: ActorRequest) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitation = invite(actor=request.actor, now=clock.now(), **form.cleaned_data)
        except AnticipatedError as error:
            form.add_error(error.field or None, error.user_message)
        else:
            messages.success(request, f"The invitation to {invitation.email} is on its way.")
            return HttpResponseRedirect(reverse("partner_portal:team"))
    return render(request, "partner_portal/team_invite.html", {"form": form})


@requires(Audience.STAFF, "team.manage")
@require_POST
def set_role(request: ActorRequest, member_id: UUID) -> HttpResponse:
    role = request.POST.get("role", "")
    label = dict(_GIVEN_ROLES).get(role, "")
    return _act_on_member(request, member_id, partial(change_role, role=role), f"is now: {label}.")


@requires(Audience.STAFF, "partner.transfer")
@require_POST
def transfer(request: ActorRequest, member_id: UUID) -> HttpResponse:
    return _act_on_member(request, member_id, transfer_ownership, "is the owner now.")


@requires(Audience.STAFF, "team.manage")
@require_POST
def deactivate_member(request: ActorRequest, member_id: UUID) -> HttpResponse:
    return _act_on_member(request, member_id, deactivate, "is signed out everywhere and cannot sign in.")


@requires(Audience.STAFF, "team.manage")
@require_POST
def reactivate_member(request: ActorRequest, member_id: UUID) -> HttpResponse:
    return _act_on_member(request, member_id, reactivate, "can sign in again.")


def _act_on_member(request: ActorRequest, member_id: UUID, act: Callable[..., object], done: str) -> HttpResponse:
    """This function will call the service on the member and tell what it did: the person's name, then `done`."""
    member = _member(request, member_id)
    return answer(
        request, "team", lambda: act(actor=request.actor, now=clock.now(), membership=member), f"{member.user} {done}"
    )


@requires(Audience.STAFF, "team.manage")
@require_POST
def resend(request: ActorRequest, invitation_id: UUID) -> HttpResponse:
    old = _invitation(request, invitation_id)
    return answer(
        request, "team",
        lambda: invite(actor=request.actor, now=clock.now(), email=old.email, role=old.role),
        f"A new invitation to {old.email} is on its way; the old link no longer works.",
    )  # fmt: skip


@requires(Audience.STAFF, "team.manage")
@require_POST
def revoke(request: ActorRequest, invitation_id: UUID) -> HttpResponse:
    invitation = _invitation(request, invitation_id)
    return answer(
        request, "team",
        lambda: revoke_invitation(actor=request.actor, now=clock.now(), invitation=invitation),
        f"The invitation to {invitation.email} no longer works.",
    )  # fmt: skip


def _member(request: ActorRequest, member_id: UUID) -> StaffMembership:
    try:
        return get_member(request.actor, member_id)
    except NotVisible as error:
        raise Http404 from error


def _invitation(request: ActorRequest, invitation_id: UUID) -> Invitation:
    try:
        return get_open_invitation(request.actor, invitation_id)
    except NotVisible as error:
        raise Http404 from error
