"""Pages about oneself that the sign-in library does not have: accepting an invitation, and one's profile."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.accounts.adapter import home_of
from apps.accounts.forms import AcceptForm, JoinForm, ProfileForm
from apps.accounts.invitations import role_label
from apps.accounts.models import Invitation, User
from apps.accounts.selectors import InvitationUnusable, get_invitation_of_token, has_account
from apps.accounts.services import accept_invitation, update_profile
from apps.core import clock
from apps.core.errors import AnticipatedError

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@requires(Audience.ANYONE)
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    try:
        invitation = get_invitation_of_token(token, clock.now())
        return _accept(request, invitation, token)
    except InvitationUnusable as error:
        return render(request, "accounts/invitation_unusable.html", {"error": error}, status=error.status)


def _accept(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    known = has_account(invitation.email)
    form = (JoinForm if known else AcceptForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = accept_invitation(
                token=token, name=form.cleaned_data.get("name", ""), password=form.cleaned_data["password"],
                now=clock.now(),
            )  # fmt: skip
        except InvitationUnusable:
            raise
        except AnticipatedError as error:
            form.add_error(error.field if error.field in form.fields else None, error.user_message)
        else:
            return _welcome(request, user, known)
    context = {"form": form, "invitation": invitation, "known": known, "role": role_label(invitation)}
    return render(request, "accounts/accept_invitation.html", context)


def _welcome(request: HttpRequest, user: User, known: bool) -> HttpResponse:
    """Somebody new is signed in at once; an old hand signs in as always, with the second factor they may have."""
    if known:
        messages.info(request, "You have joined. Sign in to continue.")
        return HttpResponseRedirect(reverse("account_login"))
    login(request, user, backend=_BACKEND)
    return HttpResponseRedirect(home_of(user))


@requires(Audience.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def profile(request: ActorRequest) -> HttpResponse:
    user = request.user
    form = ProfileForm(request.POST or None, initial={"name": user.name, "time_zone": user.time_zone})
    if request.method == "POST" and form.is_valid():
        update_profile(user=user, now=clock.now(), **form.cleaned_data)
        messages.info(request, "Your profile was saved.")
        return HttpResponseRedirect(reverse("account_profile"))
    return render(request, "accounts/profile.html", {"form": form})
