"""What people come back for: the log of a run, the error desk, the month's report and invoice as PDF."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenWindow, Window
from tests.browser.stack import Site

pytestmark = pytest.mark.browser


READ = """async path => {
  const answer = await fetch(path), bytes = new Uint8Array(await answer.arrayBuffer())
  return [answer.headers.get('content-type'), String.fromCharCode(...bytes.slice(0, 5)), bytes.length]
}"""


def download(window: Window, path: str) -> str:
    """The document's first letters; asked for by the page itself, which alone knows names below localhost."""
    kind, head, length = window.page.evaluate(READ, path)
    assert kind == "application/pdf"
    assert length > 5_000
    return head


def first_link(page: Page, part: str) -> str:
    found = page.locator(f"a[href*='{part}']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert found, f"no link with {part} on {page.url}"
    return found[0]


def test_customer_opens_its_report_and_invoice(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.customer)
    documents = []
    for path in ("/reports/", "/invoices/"):
        window.go(path)
        window.go(first_link(window.page, f"{path}0"))
        documents.append(download(window, first_link(window.page, "/document/")))

    assert documents == ["%PDF-", "%PDF-"]
    assert window.complaints == []


def test_partner_reads_a_run_down_to_its_calls(open_window: OpenWindow, kranich: Site):
    window = open_window(kranich, kranich.owner)
    window.go("/manage/runs/")
    window.go(first_link(window.page, "/manage/runs/0"))

    for heading in ("Records", "Calls to the systems", "Steps"):
        expect(window.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert window.complaints == []


def test_revoked_permission_stands_at_the_top_of_the_partners_home(open_window: OpenWindow, prairielight: Site):
    window = open_window(prairielight, prairielight.owner)
    window.go("/manage/")

    expect(window.page.get_by_text("Ostrander & Pike Attorneys").first).to_be_visible()
    window.go("/manage/errors/")
    expect(window.page.get_by_role("heading", level=1)).to_be_visible()
    assert window.complaints == []


def test_partner_opens_sla_report_and_invoice(open_window: OpenWindow, prairielight: Site):
    window = open_window(prairielight, prairielight.owner)
    documents = []
    for path, part in (
        ("/manage/sla/reports/", "/manage/sla/reports/0"),
        ("/manage/billing/invoices/", "/manage/billing/invoices/0"),
    ):
        window.go(path)
        page = first_link(window.page, part)
        documents.append(download(window, page if page.endswith("/pdf/") else f"{page}pdf/"))

    assert documents == ["%PDF-", "%PDF-"]
    assert window.complaints == []
