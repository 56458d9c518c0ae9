"""A mapping is broken and repaired: what the desk, the exceptions and the retry show a support person on the way.

The customer, its systems' accounts and its five won deals are the test's own, so that every count is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.provisioning.demo.vendors import VendorAccount
from tests.browser.conftest import OpenWindow, Window
from tests.browser.stack import Site

pytestmark = pytest.mark.browser

PATIENCE_MS = 45_000
ACCOUNT, CUSTOMER = "story", "Story Consulting"
DEALS = ("Brand film", "Campaign", "Launch site", "Packaging", "Rebrand")
SYSTEMS = {"hubspot": "HubSpot", "tryton": "Tryton", "redmine": "Redmine"}
RULE = "won-opportunity-without-project"


@dataclass
class Story:
    window: Window
    customer: str = ""
    integration: str = ""

    @property
    def page(self) -> Page:
        return self.window.page

    def go(self, path: str) -> None:
        self.window.go(path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state("load")

    def expect_at(self, path: str, text: str) -> None:
        self.await_at(path, self.page.locator("main", has_text=text))

    def await_at(self, path: str, shown: Locator) -> None:
        """What other processes do meanwhile shows when the page is asked again."""
        for _ in range(45):
            self.go(path)
            try:
                expect(shown).to_be_visible(timeout=1_000)
            except AssertionError:
                continue
            return
        expect(shown).to_be_visible()

    @property
    def desk(self) -> str:
        return f"/manage/errors/?customer={self.customer.split('/')[-2]}"

    @property
    def exceptions(self) -> str:
        return f"/manage/exceptions/?customer={self.customer.split('/')[-2]}"


@pytest.fixture
def firm(kranich: Site, settings: object) -> dict[str, VendorAccount]:
    """A firm's accounts at three vendors, with one client and five deals that are still open."""
    settings.SANDBOX_URL = kranich.vendors_url  # type: ignore[attr-defined]
    accounts = {vendor: VendorAccount(vendor, ACCOUNT) for vendor in SYSTEMS}
    for vendor, account in accounts.items():
        account.order("POST", "reset")
        account.order("POST", "credentials", {"api_key": f"{ACCOUNT}-{vendor}-key"})
    accounts["hubspot"].order("POST", "settings", {"currency": "EUR"})
    accounts["tryton"].order("POST", "settings", {"company_name": CUSTOMER})
    (client,) = accounts["hubspot"].create("companies", [{"name": "Alder Foods", "domain": "alder.example"}])
    deals = [
        {"dealname": name, "amount": "9500", "dealstage": "contractsent", "closedate": "2026-11-02",
         "associations": {"companies": [client["id"]]}}
        for name in DEALS
    ]  # fmt: skip
    accounts["hubspot"].create("deals", deals)
    return accounts


def test_a_broken_mapping_is_repaired_from_the_error_desk(
    open_window: OpenWindow, kranich: Site, firm: dict[str, VendorAccount]
) -> None:
    story = Story(open_window(kranich, kranich.owner))
    take_the_customer_on(story, kranich)
    deploy(story)
    tell_of_a_missing_project_at_once(story)

    map_project_names(story, "record.code")
    for deal in firm["hubspot"].objects("deals"):
        firm["hubspot"].update("deals", deal["id"], {"dealstage": "closedwon"})
    run_now(story)
    # Each project in two systems, and in one of them its first task, which waits for it.
    story.expect_at(story.desk, "15 records of 3 causes")
    story.expect_at(story.exceptions, "5 exceptions")
    expect(story.page.get_by_text("€47,500.00").first).to_be_visible()

    correct_one_by_keyboard(story)
    assert [row["name"] for row in firm["redmine"].objects("projects")] == ["P-1"]
    story.expect_at(story.exceptions, "4 exceptions")

    map_project_names(story, "record.name")
    retry_the_rest(story)
    for system in ("tryton", "redmine"):
        assert sorted(row["name"] for row in firm[system].objects("projects")) == list(DEALS)
    story.expect_at(story.exceptions, "No exceptions")
    assert story.window.complaints == []


def take_the_customer_on(story: Story, site: Site) -> None:
    story.go("/manage/customers/add/")
    story.page.fill("input[name=name]", CUSTOMER)
    story.press("Add customer")
    story.customer = story.page.url.removeprefix(site.base)
    for vendor in SYSTEMS:
        story.go(f"{story.customer}connect/{vendor}/")
        story.page.fill("input[name=field_base_url]", f"{site.vendors_url}/{vendor}/{ACCOUNT}")
        story.page.fill("input[name=field_api_key]", f"{ACCOUNT}-{vendor}-key")
        story.press("Check and connect")
        expect(story.page.get_by_text("is connected to")).to_be_visible()


def deploy(story: Story) -> None:
    page = story.page
    story.go(f"{story.customer}deploy/")
    page.get_by_role("link", name=re.compile("Opportunity to project")).click()
    story.press("Continue")
    story.press("Continue to the dry run")
    expect(page.locator("#dry-run")).not_to_contain_text("Asking the systems", timeout=PATIENCE_MS)
    page.get_by_role("link", name="Continue").click()
    story.press("Go live")
    story.integration = re.sub(r"https?://[^/]+", "", page.url)
    story.await_at(story.integration, page.locator("#list tbody tr", has_text="Succeeded").first)


def tell_of_a_missing_project_at_once(story: Story) -> None:
    story.go(f"/manage/exceptions/rules/{RULE}/")
    story.page.fill("input[name=within_days]", "0")
    story.press("Save")


def map_project_names(story: Story, expression: str) -> None:
    """Have both systems call a project by this, and publish it even where it is a mistake."""
    for role in ("erp", "delivery"):
        story.go(f"{story.integration}mapping/{role}/write/projects/")
        story.page.fill("input[name=map-name]", expression)
        story.press("Keep as a draft")
    story.go(f"{story.integration}mapping/")
    story.page.check("input[name=accepted]")
    story.press("Publish")
    expect(story.page.get_by_text("Published.")).to_be_visible()


def run_now(story: Story) -> None:
    for _ in range(20):
        story.go(story.integration)
        story.press("Run now")
        # Refused while the one before is still under way.
        if story.page.get_by_text("runs now.").is_visible():
            return
    raise AssertionError("a run was always under way")


def correct_one_by_keyboard(story: Story) -> None:
    """From the desk to the cause to the record to its form, and back, without the mouse."""
    page = story.page
    story.go(story.desk)
    keys = page.keyboard
    keys.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_hidden()
    choose_row(page, "Tryton demands something that the record does not have: a name is required")
    keys.press("Enter")
    page.wait_for_url(re.compile("/manage/errors/causes/"))
    choose_row(page, DEALS[0])
    keys.press("Enter")
    expect(page.get_by_role("heading", name=DEALS[0])).to_be_visible()
    record = re.sub(r"https?://[^/]+", "", page.url)
    keys.press("e")
    page.wait_for_url(re.compile("/edit/"))
    code = page.get_by_label("Code")
    code.focus()
    keys.press("Enter")
    expect(page.get_by_text("Nothing was changed.").first).to_be_visible()
    page.get_by_label("Code").focus()
    keys.type("P-1")
    keys.press("Enter")
    page.wait_for_url(re.compile(f"{record}$"))
    story.expect_at(record, "Resolved")


def choose_row(page: Page, text: str) -> None:
    """Down with j to the last row, and up with k."""
    rows, current = page.locator("[data-rows] tbody tr"), page.locator("tr.is-current")
    count = rows.count()
    for number in range(count):
        page.keyboard.press("j")
        expect(rows.nth(number)).to_have_class(re.compile("is-current"))
    place = next(n for n in range(count) if text in rows.nth(n).inner_text())
    for _ in range(count - 1 - place):
        page.keyboard.press("k")
    expect(current).to_contain_text(text)


def retry_the_rest(story: Story) -> None:
    page = story.page
    story.go(story.desk)
    story.press("Retry all 12 matching")
    page.get_by_role("dialog").get_by_role("button", name="Retry 12").click()
    page.wait_for_url(re.compile("/manage/errors/retries/"))
    waiting = page.locator(".tile", has_text="Waiting")
    expect(waiting).to_contain_text("0", timeout=PATIENCE_MS)
    expect(page.locator(".tile", has_text="Went through")).to_contain_text("12")
    expect(page.locator(".tile", has_text="Failed again")).to_contain_text("0")
    story.expect_at(story.desk, "No cause fits")
