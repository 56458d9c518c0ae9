"""Every view declares who may call it. The architecture test walks the URL configuration and fails on silence.

    @requires(Audience.STAFF, "customers.view")
    def customer_list(request: ActorRequest) -> HttpResponse: ...

`request.actor` is set before the view runs. Staff see every customer; a customer's people see the one customer that is
active in their session. A person without the audience is treated as if the page did not exist for them (404), a person
whose role lacks the permission gets 403, an anonymous one is sent to sign in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from apps.accounts.models import ApiKey, StaffMembership, User
from apps.accounts.policies import OPERATOR_PERMISSIONS, STAFF_PERMISSIONS
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible


class Audience(StrEnum):
    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    STAFF = "staff"
    CUSTOMER = "customer"
    OPERATOR = "operator"
    API = "api"
    MACHINE = "machine"  # proves itself by a signature or token in the request (webhooks, readiness)


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    audience: Audience
    permission: str = ""


class ActorRequest(HttpRequest):
    """A request after its access policy was enforced."""

    actor: Actor
    user: Any


ActorResolver = Callable[[HttpRequest], Actor | None]
_resolvers: dict[Audience, ActorResolver] = {}


def register_resolver(audience: Audience, resolver: ActorResolver) -> None:
    """Rooms above accounts say how their audience becomes an actor (customers: memberships)."""
    _resolvers[audience] = resolver


def find_actor(audience: Audience, request: HttpRequest) -> Actor | None:
    """The actor the signed-in person is for the audience; None when they are not of it."""
    resolver = _resolvers.get(audience)
    return resolver(request) if resolver else None


def staff_actor(user: User) -> Actor | None:
    """The actor of a staff member, or None when the person is not one."""
    # Through the reverse relation: the frame of the page asks for the role again, and it is remembered on the user.
    membership: StaffMembership | None = getattr(user, "staff_membership", None)
    if membership is None:
        return None
    return Actor(
        kind=ActorKind.USER,
        id=str(user.pk),
        label=str(user),
        permissions=STAFF_PERMISSIONS[membership.role],
        scope=None,
    )


def api_key_actor(key: ApiKey) -> Actor:
    """The actor that a usable key stands for."""
    return Actor(
        kind=ActorKind.API_KEY,
        id=str(key.pk),
        label=f"{key.name} (API key)",
        permissions=frozenset(key.scopes),
        scope=None if key.customer_id is None else frozenset({key.customer_id}),
        made_by=key.created_by_id,
        made_by_label=key.created_by_label,
    )


def operator_actor(user: User) -> Actor | None:
    if not StaffMembership.objects.filter(user=user).exists():
        return None
    return Actor(ActorKind.USER, str(user.pk), str(user), OPERATOR_PERMISSIONS, scope=None)


register_resolver(Audience.STAFF, lambda request: staff_actor(request.user))  # type: ignore[arg-type]
register_resolver(Audience.OPERATOR, lambda request: operator_actor(request.user))  # type: ignore[arg-type]
register_resolver(
    Audience.SIGNED_IN,
    lambda request: Actor(ActorKind.USER, str(request.user.pk), str(request.user)),
)

View = Callable[..., HttpResponse]


def requires(audience: Audience, permission: str = "") -> Callable[[View], View]:
    """Declare and enforce a view's access policy."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if audience not in (Audience.ANYONE, Audience.MACHINE):
                refusal = _enforce(request, audience, permission)
                if refusal is not None:
                    return refusal
            try:
                return view(request, *args, **kwargs)
            except NotVisible as error:
                raise Http404(error.user_message) from error
            except NotPermitted as error:
                raise PermissionDenied(error.user_message) from error

        guarded.access_policy = AccessPolicy(audience, permission)  # type: ignore[attr-defined]
        return guarded

    return decorate


def _enforce(request: Any, audience: Audience, permission: str) -> HttpResponse | None:
    if not request.user.is_authenticated:
        target = f"{resolve_url('account_login')}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)
    actor = _resolvers[audience](request)
    if actor is None:
        raise Http404
    if permission and not actor.can(permission):
        raise PermissionDenied
    request.actor = actor
    return None
