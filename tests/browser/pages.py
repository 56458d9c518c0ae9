"""Finding the pages of a site by their links, and what is wrong with one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

from playwright.sync_api import Page, Response

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
AXE_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
# Links that end the session, and the library of downloads that is no page.
LEFT_ALONE = ("/accounts/logout/", "/api/", "/document/", "/pdf/", "/oauth/", "/static/")
# The links in a sent mail are its recipient's; the owner who reads it here is somebody else.
SOMEBODY_ELSES = "/manage/settings/mail/*"
# Links inside drawings have an object for an address; the attribute is text everywhere.
LINKS = """[...document.querySelectorAll('a[href]')]
  .filter(a => !a.hasAttribute('download') && a.getAttribute('target') !== '_blank')
  .map(a => new URL(a.getAttribute('href'), location.href).href)"""

# Colours fade from one to the other, and what is half way is nobody's colour: here they change at once.
DARKEN = """() => {
  const still = new CSSStyleSheet();
  still.replaceSync('*, *::before, *::after { transition: none !important }');
  document.adoptedStyleSheets.push(still);
  document.documentElement.dataset.bsTheme = 'dark';
}"""

Visit = Callable[[str, Response], None]
# What follows these in an address is one of many of the same kind.
NAMED_BELOW = ("connectors", "connect", "mapping", "rules")


def crawl(page: Page, base: str, start: str, *, visit: Visit, per_kind: int, most: int) -> list[str]:
    """This function will open pages breadth first, `per_kind` of those that differ by id only, and hand each to `visit`."""
    waiting, seen, visited = deque([start]), {start}, []
    kinds: dict[str, int] = {}
    while waiting and len(visited) < most:
        path = waiting.popleft()
        response = page.goto(f"{base}{path}", wait_until="load")
        assert response is not None
        visited.append(path)
        links = [] if response.status != 200 or kind_of(path).startswith(SOMEBODY_ELSES) else links_of(page, base)
        visit(path, response)
        for link in links:
            kind = kind_of(link)
            if link not in seen and kinds.get(kind, 0) < per_kind:
                seen.add(link)
                kinds[kind] = kinds.get(kind, 0) + 1
                waiting.append(link)
    return visited


def links_of(page: Page, base: str) -> list[str]:
    found = []
    for href in page.evaluate(LINKS):
        parts = urlsplit(urldefrag(href).url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if f"{parts.scheme}://{parts.netloc}" == base and not any(word in path for word in LEFT_ALONE):
            found.append(path)
    return found


def kind_of(path: str) -> str:
    """The path without ids and values, and without the names of systems, objects and entities."""
    head, _, query = path.partition("?")
    words = ["*" if len(word) >= 20 or word.isdigit() else word for word in head.split("/")]
    named = next((place for place, word in enumerate(words) if word in NAMED_BELOW), len(words))
    words[named + 1 :] = ["*" if word else "" for word in words[named + 1 :]]
    names = sorted(pair.partition("=")[0] for pair in query.split("&") if pair)
    return "/".join(words) + "?" + "&".join(names)


def axe_findings(page: Page) -> list[str]:
    """What breaks WCAG 2.2 AA, in light and, for the colours, in dark."""
    # Evaluated by the debugger, which the page's content security policy does not govern.
    page.evaluate(AXE.read_text())
    found = _axe(page, {"type": "tag", "values": list(AXE_RULES)})
    page.evaluate(DARKEN)
    found += [f"dark: {finding}" for finding in _axe(page, {"type": "rule", "values": ["color-contrast"]})]
    return found


def _axe(page: Page, only: dict[str, Any]) -> list[str]:
    result = page.evaluate("only => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only)
    return [
        f"axe {violation['id']} ({len(violation['nodes'])}): {violation['nodes'][0]['html'][:160]} "
        f"{violation['nodes'][0]['failureSummary'].splitlines()[1].strip()[:160]}"
        for violation in result["violations"]
    ]
