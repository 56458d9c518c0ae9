import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenWindow
from tests.browser.stack import Site

pytestmark = pytest.mark.browser

BUTTON_COLOR = "getComputedStyle(document.querySelector('button[type=submit]')).backgroundColor"


def test_new_name_and_color_show_on_the_sign_in_page(open_window: OpenWindow, prairielight: Site, page: Page):
    window = open_window(prairielight, prairielight.owner)
    window.go("/manage/settings/brand/")
    window.page.fill("[name=display_name]", "Prairielight North")
    window.page.fill("[name=primary_color]", "#0b5394")
    window.page.locator("form:has([name=display_name]) button[type=submit]").first.click()
    window.page.wait_for_load_state("load")

    page.goto(f"{prairielight.base}/accounts/login/")

    expect(page).to_have_title("Sign in · Prairielight North")
    assert page.evaluate(BUTTON_COLOR) == "rgb(11, 83, 148)"
    assert window.complaints == []
    window.go("/manage/settings/brand/")
    window.page.fill("[name=display_name]", prairielight.cast.name)
    window.page.fill("[name=primary_color]", prairielight.cast.primary_color)
    window.page.locator("form:has([name=display_name]) button[type=submit]").first.click()
    window.page.wait_for_load_state("load")


def test_each_partner_looks_like_itself(kranich: Site, prairielight: Site, page: Page):
    colors = []
    for site in (kranich, prairielight):
        page.goto(f"{site.base}/accounts/login/")
        colors.append(page.evaluate(BUTTON_COLOR))
        expect(page.get_by_text(site.cast.sign_in_text)).to_be_visible()

    assert colors == ["rgb(15, 92, 77)", "rgb(109, 40, 217)"]
