"""The morning page, the navigation and jumping to anything by name."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.connectors.models import Connection, ConnectionStatus
from apps.connectors.services.oauth_apps import open_oauth_app
from apps.sync.models import RecordFailure, RunStatus
from tests.factories.delivery import make_customer, make_run
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def needs(browser: Client) -> list[str]:
    return [need.title for need in browser.get(address("home")).context["needs"]]


def test_an_empty_portal_tells_how_to_begin(owner: Client, partner: object) -> None:
    response = owner.get(address("home"))

    assert "Your first customer" in response.content.decode()
    assert response.context["needs"] == []


def test_what_stops_a_customer_comes_first(owner: Client, scene: Scene) -> None:
    erp = scene.connections["erp"]
    Connection.objects.filter(pk=erp.pk).update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    found = needs(owner)

    assert found[0] == "Tryton of Northwind Advisory at Northwind Advisory needs re-authorization"
    assert found[-1] == "2 records at Northwind Advisory could not be brought into step"


def test_a_failed_run_is_told_and_a_good_one_settles_it(owner: Client, scene: Scene, now: datetime) -> None:
    RecordFailure.objects.all().delete()
    make_run(scene.flow, at=now - timedelta(minutes=2), status=RunStatus.FAILED)
    failing = needs(owner)

    make_run(scene.flow, at=now - timedelta(minutes=1), status=RunStatus.SUCCEEDED)

    assert "Northwind Advisory is out of step" in failing
    assert "Northwind Advisory is out of step" not in needs(owner)


def test_the_numbers_of_the_day(owner: Client, scene: Scene, now: datetime) -> None:
    make_run(scene.flow, at=now - timedelta(days=1), created_count=14, updated_count=0)

    tiles = {tile["label"]: tile for tile in owner.get(address("home")).context["tiles"]}

    assert (tiles["Records brought into step"]["value"], tiles["Records brought into step"]["foot"]) == (
        "5",
        "1 on a usual day · last 14 days",
    )
    assert tiles["Records brought into step"]["trend"][-2:] == [14, 5]
    assert tiles["Open errors"]["value"] == "2"
    assert tiles["Monthly recurring revenue"]["value"] == "€1,490.00"


def test_a_flow_that_fell_behind_needs_attention(owner: Client, scene: Scene, now: datetime) -> None:
    RecordFailure.objects.all().delete()
    make_run(scene.flow, at=now, status=RunStatus.SUCCEEDED)
    scene.flow.__class__.objects.filter(pk=scene.flow.pk).update(in_step_until=now - timedelta(hours=2))

    health = owner.get(address("customer", scene.customer.pk)).context["health"]

    assert (str(health.tone), health.reasons) == ("attention", ["Won deals to projects: behind schedule"])


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        ("viewer", {"/manage/customers/", "/manage/runs/", "/manage/errors/"}, {"/manage/billing/"}),
        (
            "finance",
            {"/manage/customers/", "/manage/billing/", "/manage/sla/"},
            {"/manage/runs/", "/manage/catalogue/"},
        ),
        ("engineer", {"/manage/integrations/", "/manage/catalogue/"}, {"/manage/billing/"}),
    ],
)
def test_the_menu_holds_what_the_role_may_open(
    role: str, shown: set[str], hidden: set[str], sign_in: SignIn, partner: object
) -> None:
    page = sign_in(role).get(address("home")).content.decode()

    assert {url for url in shown if f'href="{url}"' not in page} == set()
    assert {url for url in hidden if f'href="{url}"' in page} == set()


def test_the_palette_finds_customers_integrations_runs_and_pages(owner: Client, scene: Scene) -> None:
    def found(text: str) -> dict[str, list[str]]:
        groups = owner.get(address("palette"), {"q": text}).json()["groups"]
        return {group["label"]: [item["label"] for item in group["items"]] for group in groups}

    assert found("northwind") == {"Customers": ["Northwind Advisory"]}
    assert found("opportunity") == {"Integrations": ["Opportunity to project"]}
    assert found(str(scene.run.pk)) == {"Runs": ["Won deals to projects"]}
    assert found("bill") == {"Pages": ["Billing"]}
    assert found("nothing like it") == {}


def test_the_palette_finds_only_what_the_role_may_open(sign_in: SignIn, scene: Scene) -> None:
    groups = sign_in("finance").get(address("palette"), {"q": "o"}).json()["groups"]

    labels = {group["label"]: [item["label"] for item in group["items"]] for group in groups}
    assert set(labels) == {"Customers", "Pages"}
    assert labels["Pages"] == ["Home", "Customers", "Exceptions", "Approvals"]


def test_an_app_at_a_vendor_is_stored_and_its_secret_never_shown(owner: Client, partner: object) -> None:
    page = address("connector", "xero")

    response = owner.post(page, {"client_id": "our-app", "client_secret": "do-not-show"}, follow=True)

    assert open_oauth_app("xero").client_secret == "do-not-show"
    assert "our-app" in response.content.decode()
    assert "do-not-show" not in response.content.decode()


def test_an_app_without_an_id_is_refused_and_a_viewer_stores_none(owner: Client, viewer: Client) -> None:
    page = address("connector", "xero")

    assert "client_id" in owner.post(page, {"client_id": "", "client_secret": "x"}).context["form"].errors
    assert viewer.post(page, {"client_id": "mine", "client_secret": "x"}).status_code == 403
    assert open_oauth_app("xero") is None


def test_forty_customers_cost_no_more_questions_than_one(
    owner: Client, scene: Scene, django_assert_max_num_queries
) -> None:
    for number in range(40):
        make_customer(f"Customer {number:02}")
    owner.get(address("home"))

    with django_assert_max_num_queries(20):
        response = owner.get(address("customers"))

    assert len(response.context["table"].rows) == 41
