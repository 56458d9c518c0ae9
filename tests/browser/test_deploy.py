"""The main job: a partner sets a customer's integration live and watches it run."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenWindow
from tests.browser.stack import Site

pytestmark = pytest.mark.browser

RUN_MS = 60_000
GREEN = re.compile("Succeeded|In step|Live", re.IGNORECASE)


def test_wizard_leads_from_nothing_to_a_green_first_run(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.owner)
    page = window.page
    window.go("/manage/customers/")
    page.get_by_role("link", name="Atelier Quint").first.click()
    page.goto(f"{page.url.rstrip('/')}/deploy/")

    page.get_by_role("link", name=re.compile("Payment status visibility")).click()
    press(page, "Continue")
    press(page, "Continue to the dry run")
    expect(page.locator("#dry-run")).not_to_contain_text("Asking the systems", timeout=RUN_MS)
    expect(page.locator("#dry-run")).to_contain_text("Payment status")
    page.get_by_role("link", name="Continue").click()
    press(page, "Go live")
    expect(page.get_by_text("Live").first).to_be_visible()

    run = finished_run(page, kranich)
    expect(run).to_contain_text("Succeeded")
    assert window.complaints == []


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state("load")


def finished_run(page: Page, site: Site):
    """The newest run's row, once it has ended."""
    row = (
        page.locator("tbody tr", has_text="Atelier Quint").filter(has_text=re.compile("Succeeded|Partial|Failed")).first
    )
    for _ in range(30):
        page.goto(f"{site.base}/manage/runs/")
        try:
            expect(row).to_be_visible(timeout=2_000)
        except AssertionError:
            continue
        return row
    raise AssertionError("no run of the new integration ended")
