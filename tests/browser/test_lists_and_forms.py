"""What scripts add to every list and form: filters, views, columns, keys, the check of a field, the guard of unsaved work."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, expect

from tests.browser.conftest import OpenWindow
from tests.browser.stack import Site

pytestmark = pytest.mark.browser


def test_a_list_is_filtered_kept_as_a_view_and_cut_to_the_columns_wanted(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.owner)
    page = window.page
    window.go("/manage/runs/")
    page.get_by_role("button", name="State").click()
    page.get_by_label("Succeeded", exact=True).first.check()
    page.wait_for_url("**/runs/?state=succeeded")

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of this view").fill("Went well")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Views").click()
    kept = page.get_by_role("link", name="Went well")
    expect(kept).to_have_attribute("href", "/manage/runs/?state=succeeded")
    expect(kept).to_have_attribute("aria-current", "true")

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Columns").click()
    page.locator(".list-menu label", has_text="Trigger").locator("input[type=checkbox]").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Trigger")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="State")).to_have_count(1)
    assert window.complaints == []


def test_keys_move_through_rows_and_reach_the_filter(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.owner)
    page = window.page
    window.go("/manage/runs/")

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tbody tr").nth(1)).to_have_class("is-current")
    page.keyboard.press("k")
    expect(page.locator("tbody tr").nth(0)).to_have_class("is-current")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("[data-filter-input]")).to_be_focused()


def test_a_field_is_checked_when_it_is_left_and_unsaved_work_is_guarded(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.owner)
    page, asked = window.page, []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    window.go("/manage/customers/add/")
    page.get_by_label("Contact e-mail").fill("nobody")
    page.keyboard.press("Tab")
    expect(page.locator(".field-error")).to_have_text("Enter a valid email address.")
    expect(page.get_by_label("Contact e-mail")).to_have_attribute("aria-invalid", "true")

    page.get_by_label("Contact e-mail").fill("noor@example.com")
    page.keyboard.press("Tab")
    expect(page.locator(".field-error")).to_have_count(0)
    window.go("/manage/")

    assert asked == ["beforeunload"]
    assert window.complaints == []


def test_a_record_that_is_tried_again_shows_by_itself_what_came_of_it(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.owner)
    page = window.page
    window.go("/manage/errors/")
    page.locator("tbody .row-link", has_text="is not in Tryton yet").click()
    page.locator("tbody .row-link").first.click()

    page.get_by_role("button", name="Retry this record").click()

    expect(page.get_by_text("Being tried again")).to_be_visible()
    expect(page.get_by_role("button", name="Retry this record")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Being tried again")).to_have_count(0)
    assert window.complaints == []


@pytest.mark.parametrize("width", [1440, 1280, 1024, 700])
def test_the_customers_are_read_without_moving_their_table(open_window: OpenWindow, kranich: Site, width: int):
    window = open_window(kranich, kranich.owner)
    window.page.set_viewport_size({"width": width, "height": 900})
    window.go("/manage/customers/")

    extra = window.page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.table-wrap'))")

    assert extra <= 0
