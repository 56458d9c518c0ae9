"""Addresses of pages, worked out once: a list of fifty rows, or the navigation, would resolve the same route again and again."""

from collections.abc import Callable
from functools import cache
from uuid import UUID

from django.urls import reverse

# Stand in for the id while the route is resolved. Neither is anybody's, nor part of a route's other words.
_SOME_ID = UUID("ffffffff-ffff-8fff-bfff-ffffffffffff")
_SOME_NUMBER = 987_654_321_012_345


@cache
def address_of(name: str) -> str:
    """The address of a page without an id in it."""
    return reverse(name)


@cache
def link_to(name: str) -> Callable[[UUID | str], str]:
    """`link_to("partner_portal:run")(run.pk)`: the address of the page of one such object."""
    return _around(name, _SOME_ID)


@cache
def link_to_number(name: str) -> Callable[[int], str]:
    """The same for what a number identifies."""
    return _around(name, _SOME_NUMBER)


def _around(name: str, some: object) -> Callable[[object], str]:
    before, after = reverse(name, args=[some]).split(str(some))
    return lambda key: f"{before}{key}{after}"
