import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.stack import Site

pytestmark = pytest.mark.browser


def test_owner_reaches_the_partner_portal_in_the_partners_name(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.owner)

    response = window.go("/manage/")

    assert response.status == 200
    expect(window.page).to_have_title(re.compile(f" · {kranich.cast.name}$"))
    expect(window.page.get_by_role("img", name=kranich.cast.name).first).to_be_visible()
    assert window.complaints == []


def test_customer_reaches_only_the_customer_portal(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.customer)

    assert window.go("/").status == 200
    expect(window.page.get_by_text(kranich.cast.customers[0].name).first).to_be_visible()
    assert window.go("/manage/").status == 404


def test_people_of_one_partner_are_strangers_to_the_other(open_window: OpenWindow, kranich: Site, prairielight: Site):
    window = open_window(prairielight, kranich.owner)

    assert window.page.url.endswith("/accounts/login/")
    expect(window.page.get_by_text("correct", exact=False).first).to_be_visible()
