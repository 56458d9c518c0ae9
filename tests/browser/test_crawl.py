"""Every page that can be reached by a link, in both portals of both partners and in the back office."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response

from apps.provisioning.demo.cast import OPERATOR_EMAIL
from tests.browser.conftest import OpenPage, OpenWindow, Window
from tests.browser.pages import axe_findings, crawl, kind_of
from tests.browser.stack import BackOffice, Site

pytestmark = pytest.mark.browser

PLATFORM_NAME, PLATFORM_COLORS = "interlace", ("#3b5bdb", "rgb(59, 91, 219)")
# Pages of one kind differ by id only: two of each kind are enough, and lists lead to hundreds.
PER_KIND, MOST_PAGES = 2, 140
COLORS = """[...document.querySelectorAll('*')].flatMap(e => {
  const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.borderTopColor, s.fill]
})"""


@pytest.mark.parametrize("slug", ["kranich", "prairielight"])
@pytest.mark.parametrize("side", ["owner", "customer"])
def test_every_page_is_whole_and_wears_only_the_partners_name(
    open_window: OpenWindow, sites: dict[str, Site], slug: str, side: str
):
    site = sites[slug]
    window = open_window(site, site.owner if side == "owner" else site.customer)

    problems, visited = look_at_all(window, "/manage/" if side == "owner" else "/", brand_problems)

    assert problems == []
    assert window.complaints == []
    assert len(visited) >= 8


def test_every_page_of_the_back_office_is_whole(open_window: OpenWindow, back_office: BackOffice):
    window = open_window(back_office, OPERATOR_EMAIL)

    problems, visited = look_at_all(window, "/partners/")

    assert problems == []
    assert window.complaints == []
    assert len(visited) >= 4


def test_pages_of_strangers_are_accessible(open_page: OpenPage, sites: dict[str, Site]):
    window = open_page(sites["kranich"])
    problems = []
    for path in ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/nowhere/"):
        window.go(path)
        problems += [f"{path}: {problem}" for problem in brand_problems(window.page) + axe_findings(window.page)]

    assert problems == []


def look_at_all(
    window: Window, start: str, further: Callable[[Page], list[str]] = lambda page: []
) -> tuple[list[str], list[str]]:
    problems: list[str] = []
    examined: set[str] = set()

    def visit(path: str, response: Response) -> None:
        found = [str(response.status)] if response.status != 200 else further(window.page)
        # One of a kind is examined for accessibility, whatever it is filtered by: that takes longer than all else.
        page = kind_of(path).partition("?")[0]
        if response.status == 200 and page not in examined:
            examined.add(page)
            found += axe_findings(window.page)
        problems.extend(f"{path}: {problem}" for problem in found)

    visited = crawl(window.page, window.site.base, start, visit=visit, per_kind=PER_KIND, most=MOST_PAGES)
    return problems, visited


def brand_problems(page: Page) -> list[str]:
    found = ["names the platform"] if PLATFORM_NAME in page.content().lower() else []
    colors = set(page.evaluate(COLORS))
    return found + [f"shows the platform's colour {color}" for color in PLATFORM_COLORS if color in colors]
