from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.urls import URLPattern, URLResolver

from apps.accounts.access import AccessPolicy, Audience
from apps.accounts.library_views import LIBRARY_VIEW_POLICIES

HOSTS = {"config.urls.partner": "acme.localhost", "config.urls.public": "localhost"}
WEB_METHODS = ("GET", "POST")


@dataclass(frozen=True)
class Route:
    """`permissions` maps a method to what it takes; one of an API view is its scope."""

    urlconf: str
    name: str
    pattern: str
    kwargs: tuple[str, ...]
    policy: AccessPolicy
    permissions: dict[str, str]

    def __str__(self) -> str:
        return f"{self.urlconf.rpartition('.')[2]}-{self.name}"

    @property
    def is_api(self) -> bool:
        return self.policy.audience is Audience.API


def walk_routes(urlconf: str) -> Iterator[Route]:
    yield from _walk(urlconf, import_module(urlconf).urlpatterns, (), "", ())


def _walk(
    urlconf: str, patterns: Iterable[Any], spaces: tuple[str, ...], prefix: str, kwargs: tuple[str, ...]
) -> Iterator[Route]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern)
        taken = (*kwargs, *_kwargs(pattern))
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from _walk(urlconf, pattern.url_patterns, inner, here, taken)
        else:
            yield _route(urlconf, pattern, spaces, here, taken)


def _kwargs(pattern: URLPattern | URLResolver) -> tuple[str, ...]:
    converters: dict[str, Any] = getattr(pattern.pattern, "converters", {})
    return tuple(converters) or tuple(pattern.pattern.regex.groupindex)


def _route(urlconf: str, pattern: URLPattern, spaces: tuple[str, ...], here: str, kwargs: tuple[str, ...]) -> Route:
    view: Any = pattern.callback
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    policy = getattr(view, "access_policy", None) or getattr(cls, "access_policy", None)
    policy = policy or LIBRARY_VIEW_POLICIES.get(pattern.name or "")
    assert policy is not None, f"{here} declares no access policy"
    assert pattern.name, f"{here} has no name"
    name = ":".join([*spaces, pattern.name])
    return Route(urlconf, name, here, kwargs, policy, _permissions(policy, cls))


def _permissions(policy: AccessPolicy, cls: Any) -> dict[str, str]:
    if policy.audience is Audience.API:
        return dict(cls.scopes)
    return dict.fromkeys(WEB_METHODS, policy.permission)
