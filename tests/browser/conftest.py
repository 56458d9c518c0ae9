"""The whole demo, once per session, and browsers that look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

from apps.provisioning.demo.cast import PASSWORD
from tests.browser.screens import ARGUMENTS, CHROMIUM, sign_in
from tests.browser.stack import BackOffice, Site, running_demo

# A page under load on a small machine.
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def sites() -> Iterator[dict[str, Site]]:
    with running_demo() as found:
        yield found


@pytest.fixture(scope="session")
def kranich(sites: dict[str, Site]) -> Site:
    return sites["kranich"]


@pytest.fixture(scope="session")
def prairielight(sites: dict[str, Site]) -> Site:
    return sites["prairielight"]


@pytest.fixture(scope="session")
def back_office(kranich: Site) -> BackOffice:
    return BackOffice(kranich.port)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": list(ARGUMENTS)}


@dataclass
class Window:
    """A signed-in page that remembers everything the browser complained about."""

    page: Page
    site: Site | BackOffice
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Response:
        response = self.page.goto(f"{self.site.base}{path}", wait_until="load")
        assert response is not None
        return response

    def note(self, message: ConsoleMessage) -> None:
        # CSP violations arrive here too, as errors.
        if message.type == "error":
            self.complaints.append(f"{self.page.url}: {message.text}")


OpenPage = Callable[[Site | BackOffice], Window]
OpenWindow = Callable[[Site | BackOffice, str], Window]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """A browser of one's own, at a site nobody has signed in to."""
    contexts: list[BrowserContext] = []

    def open_(site: Site | BackOffice) -> Window:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        window = Window(context.new_page(), site)
        window.page.on("console", window.note)
        window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
        return window

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def open_window(open_page: OpenPage) -> OpenWindow:
    """Sign somebody in at a site, in a browser of their own."""

    def open_(site: Site | BackOffice, email: str) -> Window:
        window = open_page(site)
        sign_in(window.page, site.base, email, PASSWORD)
        return window

    return open_
