"""Every page that can be reached by a link, in both portals of both partners."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenWindow, Window
from tests.browser.stack import Site

pytestmark = pytest.mark.browser

PLATFORM_NAME, PLATFORM_COLORS = "interlace", ("#3b5bdb", "rgb(59, 91, 219)")
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
# Pages of one kind differ by id only: three of each kind are enough, and lists lead to hundreds.
PER_KIND, MOST_PAGES = 3, 140
# Links that end the session, and the library of downloads that is no page.
LEFT_ALONE = ("/accounts/logout/", "/api/", "/document/", "/pdf/", "/oauth/", "/static/")
# The links in a sent mail are its recipient's; the owner who reads it here is somebody else.
SOMEBODY_ELSES = "/manage/settings/mail/*"
# Links inside drawings have an object for an address; the attribute is text everywhere.
LINKS = """[...document.querySelectorAll('a[href]')]
  .filter(a => !a.hasAttribute('download') && a.getAttribute('target') !== '_blank')
  .map(a => new URL(a.getAttribute('href'), location.href).href)"""
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
    start = "/manage/" if side == "owner" else "/"

    problems, visited = crawl(window, start)

    assert problems == []
    assert window.complaints == []
    assert len(visited) >= 8


def crawl(window: Window, start: str) -> tuple[list[str], list[str]]:
    waiting, seen, problems, visited = deque([start]), {start}, [], []
    kinds: dict[str, int] = {}
    while waiting and len(visited) < MOST_PAGES:
        path = waiting.popleft()
        response = window.go(path)
        visited.append(path)
        if response.status != 200:
            problems.append(f"{path}: {response.status}")
            continue
        problems += [f"{path}: {problem}" for problem in problems_of(window.page)]
        for link in [] if kind_of(path).startswith(SOMEBODY_ELSES) else links_of(window):
            kind = kind_of(link)
            if link not in seen and kinds.get(kind, 0) < PER_KIND:
                seen.add(link)
                kinds[kind] = kinds.get(kind, 0) + 1
                waiting.append(link)
    return problems, visited


def links_of(window: Window) -> list[str]:
    found = []
    for href in window.page.evaluate(LINKS):
        parts = urlsplit(urldefrag(href).url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if f"{parts.scheme}://{parts.netloc}" == window.site.base and not any(word in path for word in LEFT_ALONE):
            found.append(path)
    return found


def kind_of(path: str) -> str:
    """The path without ids and values."""
    head, _, query = path.partition("?")
    words = ["*" if len(word) >= 20 or word.isdigit() else word for word in head.split("/")]
    names = sorted(pair.partition("=")[0] for pair in query.split("&") if pair)
    return "/".join(words) + "?" + "&".join(names)


def problems_of(page: Page) -> list[str]:
    found = []
    if PLATFORM_NAME in page.content().lower():
        found.append("names the platform")
    colors = set(page.evaluate(COLORS))
    found += [f"shows the platform's colour {color}" for color in PLATFORM_COLORS if color in colors]
    return found + axe_findings(page)


def axe_findings(page: Page) -> list[str]:
    if not AXE.exists():
        return []
    # Evaluated by the debugger, which the page's content security policy does not govern.
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"axe {violation['id']}: {violation['nodes'][0]['html'][:120]}"
        for violation in result["violations"]
        if violation["impact"] in SERIOUS
    ]
