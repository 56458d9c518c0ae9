"""Who calls, and what the declared policies promise them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from apps.accounts.access import Audience
from apps.api.permissions import ANY_SCOPE
from tests.architecture.isolation.routes import HOSTS, Route
from tests.browsing import Browser
from tests.factories.world import World

LOGIN = "/accounts/login/"
SAFE = "GET"


@dataclass
class Caller:
    """`audience`: whom the caller is at `urlconf`; elsewhere everybody is a stranger. `world`: the customer they act for."""

    name: str
    browser: Browser
    audience: Audience = Audience.ANYONE
    permissions: frozenset[str] = frozenset()
    world: World | None = None
    urlconf: str = "config.urls.partner"
    cookies: SimpleCookie = field(init=False)

    def __post_init__(self) -> None:
        self.cookies = deepcopy(self.browser.cookies)

    def audience_at(self, route: Route) -> Audience:
        return self.audience if route.urlconf == self.urlconf else Audience.ANYONE

    def call(self, method: str, address: str, route: Route) -> Any:
        headers = {"host": HOSTS[route.urlconf]}
        # A host that does not know the session takes its cookie away; this caller keeps trying.
        self.browser.cookies = deepcopy(self.cookies)
        content_type = "application/json" if route.is_api else "application/x-www-form-urlencoded"
        return self.browser.generic(method, address, b"{}" if route.is_api else b"", content_type, headers=headers)


@dataclass(frozen=True)
class Promise:
    """`statuses` a refused caller may get; empty: the call is theirs to make."""

    why: str
    statuses: frozenset[int] = frozenset()


ALLOWED = Promise("allowed")
OPEN = Promise("open to anybody")
# A method the view does not have is refused before anybody asks who calls.
_LOGIN, _MISSING, _FORBIDDEN = frozenset({302, 405}), frozenset({404, 405}), frozenset({403, 405})
_NO_KEY = frozenset({401, 405})


def promise(caller: Caller, route: Route, method: str, target: World) -> Promise:
    audience, wanted = caller.audience_at(route), route.policy.audience
    if wanted in (Audience.ANYONE, Audience.MACHINE):
        return OPEN
    if wanted is Audience.API:
        return _promise_key(caller, route, method, target)
    if audience in (Audience.ANYONE, Audience.API):
        return Promise("nobody is signed in", _LOGIN)
    if wanted is Audience.SIGNED_IN:
        return OPEN
    if audience is not wanted:
        return Promise("another audience", _MISSING)
    permission = route.permissions.get(method, "")
    if permission and permission not in caller.permissions:
        return Promise(f"lacks {permission}", _FORBIDDEN)
    return _promise_row(caller, route, target)


def _promise_key(caller: Caller, route: Route, method: str, target: World) -> Promise:
    if caller.audience_at(route) is not Audience.API:
        return Promise("no key", _NO_KEY)
    scope = route.permissions.get(method)
    if scope != ANY_SCOPE and scope not in caller.permissions:
        return Promise(f"lacks {scope}", _FORBIDDEN)
    return _promise_row(caller, route, target)


# Kwargs that do not lead to rows of a customer.
OWNERLESS = frozenset({"service", "entity", "vendor", "anything", "token", "template_version_id", "rule_key"})


def _promise_row(caller: Caller, route: Route, target: World) -> Promise:
    owned = set(route.kwargs) - OWNERLESS
    if owned and caller.world is not None and caller.world is not target:
        return Promise("another customer's", frozenset({404, 405}))
    return ALLOWED


def is_kept(answer: Any, wanted: Promise) -> bool:
    if answer.status_code == 302 and 302 in wanted.statuses:
        return str(answer["Location"]).startswith(LOGIN)
    return answer.status_code in wanted.statuses


def is_served(answer: Any) -> bool:
    """A page, a redirect that is not the sign-in page, or a method the view does not have."""
    if answer.status_code in (301, 302):
        return not str(answer["Location"]).startswith(LOGIN)
    return answer.status_code in (200, 204, 405)
