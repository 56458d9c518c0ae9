"""Every view says who may call it, by `@requires` or, where it cannot, in the table of library views."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, path

from apps.accounts.access import AccessPolicy, Audience, requires
from apps.accounts.library_views import LIBRARY_VIEW_POLICIES

URLCONFS = ["config.urls.partner", "config.urls.public"]


def patterns_of(urlconf: str) -> list[URLPattern | URLResolver]:
    return list(importlib.import_module(urlconf).urlpatterns)


def leaves(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from leaves(pattern.url_patterns, here)
        else:
            yield here, pattern


def policy_of(pattern: URLPattern) -> AccessPolicy | None:
    view = pattern.callback
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    declared = getattr(view, "access_policy", None) or getattr(cls, "access_policy", None)
    return declared or LIBRARY_VIEW_POLICIES.get(pattern.name or "")


def undeclared(patterns: list[URLPattern | URLResolver]) -> list[str]:
    return [where for where, pattern in leaves(patterns) if policy_of(pattern) is None]


@pytest.mark.parametrize("urlconf", URLCONFS)
def test_every_view_declares_its_access(urlconf: str) -> None:
    patterns = patterns_of(urlconf)

    assert len(list(leaves(patterns))) > 20
    assert undeclared(patterns) == []


def test_the_table_names_only_views_that_exist_and_declare_nothing_themselves() -> None:
    bare = {
        pattern.name
        for urlconf in URLCONFS
        for _, pattern in leaves(patterns_of(urlconf))
        if not hasattr(pattern.callback, "access_policy")
    }

    assert set(LIBRARY_VIEW_POLICIES) - bare == set()


def test_silence_is_noticed() -> None:
    @requires(Audience.STAFF, "customers.view")
    def declared(request: object) -> None: ...

    def silent(request: object) -> None: ...

    patterns = [path("a/", declared), path("b/", silent)]

    assert undeclared(patterns) == ["b/"]
    assert policy_of(patterns[0]) == AccessPolicy(Audience.STAFF, "customers.view")
