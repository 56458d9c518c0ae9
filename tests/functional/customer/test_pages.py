"""Every page of the portal, for the four kinds of visitor, within its budget of queries."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.browsing import Browser
from tests.factories.world import World
from tests.functional.conftest import SignIn

QUERY_BUDGET = 15
Address = Callable[[World], str]


def page(name: str, *path: Callable[[World], object]) -> Address:
    return lambda world: reverse(f"customer_portal:{name}", args=[str(step(world)) for step in path])


PAGES: dict[str, tuple[Address, str]] = {
    "overview": (page("overview"), "could not be brought into step."),
    "state": (page("overview_state"), "Last checked"),
    "integrations": (page("integration_list"), "Time to invoice"),
    "integration": (page("integration_detail", lambda w: w.integrations["time-to-invoice"].pk), "becomes one invoice"),
    "connection": (page("connection_detail", lambda w: w.connections["delivery"].pk), "Brightwater delivery"),
    "activity": (page("activity_list"), "Project Rollout of Brightwater created in Tryton and Redmine"),
    "record": (page("record_detail", lambda w: w.records["invoice"].pk), "Created in Xero"),
    "needs": (page("needs_list"), "Contact has no e-mail"),
    "levels": (page("current_levels"), "Successful runs"),
    "reports": (page("report_list"), "October 2026"),
    "report": (page("report_detail", lambda w: w.report.pk), "Every promise was kept."),
    "invoices": (page("invoice_list"), "ACME-"),
    "invoice": (page("invoice_detail", lambda w: w.invoice.pk), "What was counted, by day"),
    "settings": (page("settings"), "viewer@brightwater.example"),
}
OWNED = ["integration", "connection", "record", "report", "invoice"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_it_works_within_its_budget(harbor: World, stranger: World, browse: SignIn, name: str, role: str) -> None:
    address, expected = PAGES[name]
    browser = browse(getattr(harbor, role))
    browser.get(address(harbor))  # what is asked once per process (content types, the first session write)

    with CaptureQueriesContext(connection) as queries:
        response = browser.get(address(harbor))

    body = response.content.decode()
    assert response.status_code == 200
    assert expected in body
    assert "Northwind" not in body
    asked = [query["sql"][:300] for query in queries if not query["sql"].startswith(("SET ", "SAVEPOINT", "RELEASE"))]
    assert len(asked) <= QUERY_BUDGET, "\n".join(asked)


@pytest.mark.parametrize("name", OWNED)
def test_another_customers_page_does_not_exist(harbor: World, stranger: World, browse: SignIn, name: str) -> None:
    response = browse(harbor.admin).get(PAGES[name][0](stranger))

    assert response.status_code == 404
    assert "Northwind" not in response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_strangers_are_sent_to_sign_in(harbor: World, name: str) -> None:
    address = PAGES[name][0](harbor)

    response = Browser().get(address)

    assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/accounts/login/")
