"""A person who acts for several customers sees one at a time, in that customer's role."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.core.actor import Actor
from apps.customers.services import add_member
from tests.browsing import Browser
from tests.factories.world import World
from tests.functional.conftest import SignIn


@pytest.fixture
def both(harbor: World, stranger: World, system: Actor, now: datetime, browse: SignIn) -> Browser:
    add_member(actor=system, now=now, customer=stranger.customer, user=harbor.admin, role="viewer")
    return browse(harbor.admin)


def test_one_at_a_time(both: Browser, harbor: World, stranger: World) -> None:
    first = both.get("/invoices/").content.decode()

    chosen = both.get(f"/customers/{stranger.customer.pk}/choose/")
    second = both.get("/invoices/").content.decode()

    assert (chosen.status_code, chosen["Location"]) == (302, "/")
    assert (str(harbor.invoice), str(stranger.invoice)) == ("ACME-000001", "ACME-000002")
    assert ("ACME-000001" in first, "ACME-000002" in first) == (True, False)
    assert ("ACME-000001" in second, "ACME-000002" in second) == (False, True)


def test_the_role_is_that_of_the_active_customer(both: Browser, harbor: World, stranger: World) -> None:
    address = f"/settings/members/{stranger.memberships['viewer'].pk}/remove/"
    assert both.post(address).status_code == 404

    both.get(f"/customers/{stranger.customer.pk}/choose/")

    assert both.post(address).status_code == 403


def test_a_customer_one_does_not_act_for_cannot_be_chosen(harbor: World, stranger: World, browse: SignIn) -> None:
    browser = browse(harbor.viewer)

    assert browser.get(f"/customers/{stranger.customer.pk}/choose/").status_code == 404
    assert "Northwind" not in browser.get("/").content.decode()


def test_the_switch_is_shown_only_where_there_is_a_choice(both: Browser, harbor: World, browse: SignIn) -> None:
    address = f"/customers/{harbor.customer.pk}/choose/"

    assert address in both.get("/").content.decode()
    assert address not in browse(harbor.viewer).get("/").content.decode()
