"""What every list and every form of the portals can do: views, columns, checks of a field as it is left."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import SavedView
from apps.customers.models import Customer
from tests.functional.partner.scene import Scene

pytestmark = pytest.mark.django_db
RUNS = "/manage/runs/"
GIVEN = {"name": "Osprey Engineering", "currency": "EUR", "time_zone": "Europe/Berlin", "country": "DE", "owner": ""}


def heads(browser: Client, address: str) -> list[str]:
    page = browser.get(address).content.decode()
    return re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>|<span[^>]*>)?([^<]+)', page)


def choose(browser: Client, shown: list[str], column: list[str]) -> None:
    url = reverse("choose_list_columns", args=["partner_portal:runs"])
    response = browser.post(url, {"shown": shown, "column": column, "next": f"{RUNS}?state=failed"})
    assert (response.status_code, response["Location"]) == (302, f"{RUNS}?state=failed")


def test_columns_put_away_are_gone_from_page_and_partial_but_not_from_the_export(owner: Client, scene: Scene) -> None:
    everything = heads(owner, RUNS)
    choose(owner, ["state", "customer"], ["state", "customer", "trigger", "read", "flow"])

    kept = [head for head in everything if head not in ("Trigger", "Read")]
    assert heads(owner, RUNS) == kept
    partial = owner.get(RUNS, headers={"HX-Request": "true"}).content.decode()
    assert 'data-label="State"' in partial
    assert 'data-label="Trigger"' not in partial
    assert "trigger" in owner.get(f"{RUNS}?format=csv").content.decode().splitlines()[0]


def test_columns_are_each_persons_own(owner: Client, viewer: Client, scene: Scene) -> None:
    choose(owner, [], ["trigger"])

    assert "Trigger" not in heads(owner, RUNS)
    assert "Trigger" in heads(viewer, RUNS)


def test_a_view_brings_back_filters_and_order(owner: Client, scene: Scene) -> None:
    saved = owner.post(
        reverse("save_list_view", args=["partner_portal:runs"]),
        {"name": "Failed <today>", "query": "state=failed&period=24h", "next": "//evil.example/"},
    )
    page = owner.get(RUNS).content.decode()
    active = owner.get(f"{RUNS}?state=failed&period=24h").content.decode()

    assert saved["Location"] == "/"
    assert f'href="{RUNS}?state=failed&amp;period=24h">Failed &lt;today&gt;' in page
    assert f'href="{RUNS}?state=failed&amp;period=24h" aria-current="true"' in active

    owner.post(reverse("delete_list_view", args=[SavedView.objects.get(name="Failed <today>").pk]), {"next": RUNS})
    assert "Failed &lt;today&gt;" not in owner.get(RUNS).content.decode()


def check(browser: Client, field: str, **given: str) -> str:
    response = browser.post(
        reverse("partner_portal:customer_add"), {**GIVEN, **given}, headers={"X-Check-Field": field}
    )
    assert response.status_code == 200
    return re.sub(r"<svg.*?</svg>", "", response.content.decode()).strip()


def test_a_field_is_checked_by_itself_and_nothing_is_done(owner: Client, partner: object) -> None:
    wrong = check(owner, "contact_email", contact_email="nobody", name="")

    assert wrong.startswith('<p class="field-error" id="id_contact_email-error">')
    assert "Enter a valid email address." in wrong
    assert check(owner, "contact_email") == ""
    assert [check(owner, name) for name in ("nothing-of-the-form", "")] == ["", ""]
    assert Customer.objects.count() == 0


def test_a_check_needs_the_same_permission_as_the_form(viewer: Client, partner: object) -> None:
    response = viewer.post(reverse("partner_portal:customer_add"), GIVEN, headers={"X-Check-Field": "name"})

    assert response.status_code == 403
