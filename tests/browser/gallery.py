"""A picture of every page of the demo, on desktop and phone, in light and dark: `make screenshots`.

Pages are found by their links, one of each kind; documents are drawn from their first page.
"""

from __future__ import annotations

import argparse
import base64
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from apps.provisioning.demo.cast import OPERATOR_EMAIL, PARTNERS, PASSWORD
from tests.browser.pages import crawl, kind_of
from tests.browser.screens import ARGUMENTS, CHROMIUM, SIZES, THEMES, shoot, sideways_scroll, sign_in
from tests.browser.stack import BackOffice, Site, running_demo

MOST_PAGES = 120
ANONYMOUS = (
    "/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-gone/", "/accounts/signup/", "/nowhere/",
)  # fmt: skip
DOCUMENTS = '[...document.querySelectorAll(\'a[href*="/document/"], a[href*="/pdf/"]\')].map(a => a.href)'

FETCH_PDF = """async url => {
  const answer = await fetch(url);
  if (answer.headers.get('content-type') !== 'application/pdf') return '';
  return btoa([...new Uint8Array(await answer.arrayBuffer())].map(byte => String.fromCharCode(byte)).join(''));
}"""


@dataclass(frozen=True)
class Room:
    """Pages that belong together: whose they are and where the walk begins. Without `email` they are a stranger's."""

    name: str
    base: str
    start: str = ""
    email: str = ""


def rooms(site: Site, back_office: BackOffice) -> list[Room]:
    return [
        Room("stranger", site.base),
        Room("partner", site.base, "/manage/", site.owner),
        Room("customer", site.base, "/", site.customer),
        Room("backoffice", back_office.base, "/partners/", OPERATOR_EMAIL),
    ]


def paint(site: Site, out: Path, only: str = "") -> list[str]:
    """This function will save `<room>-<page>-<size>-<theme>.jpg`; gives what is wrong: console errors, sideways scrolling."""
    out.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for room in rooms(site, BackOffice(site.port)):
            if room.name.startswith(only):
                paths = find(browser, room, out)
                for size in SIZES:
                    for theme in THEMES:
                        problems += paint_room(browser, room, paths, out, size, theme)
        browser.close()
    return problems


def find(browser: Browser, room: Room, out: Path) -> list[str]:
    """The addresses of the room's pages; its documents are drawn on the way."""
    if not room.email:
        return list(ANONYMOUS)
    with entered(browser, room, "desktop", "light") as page:

        def visit(path: str, response: object) -> None:
            for url in page.evaluate(DOCUMENTS)[:1]:
                draw_document(page, url, out / f"{name_of(room, path)}-document")

        paths = crawl(page, room.base, room.start, visit=visit, per_kind=1, most=MOST_PAGES)
    return [*paths, "/manage/nowhere/" if room.name == "partner" else "/nowhere/"]


@contextmanager
def entered(browser: Browser, room: Room, size: str, theme: str) -> Iterator[Page]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=size == "phone",
        is_mobile=size == "phone",
    )  # fmt: skip
    context.add_cookies([{"name": "theme", "value": theme, "url": room.base}])
    page = context.new_page()
    if room.email:
        sign_in(page, room.base, room.email, PASSWORD)
    yield page
    context.close()


def paint_room(browser: Browser, room: Room, paths: list[str], out: Path, size: str, theme: str) -> list[str]:
    problems: list[str] = []
    with entered(browser, room, size, theme) as page:
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        for path in paths:
            name = f"{name_of(room, path)}-{size}-{theme}"
            shoot(page, f"{room.base}{path}", out / f"{name}.jpg", full=True)
            problems += sideways_scroll(page, name)
    return problems


def draw_document(page: Page, url: str, target: Path) -> None:
    # Fetched by the browser: only it knows that names below localhost are this machine.
    encoded = page.evaluate(FETCH_PDF, url)
    if encoded:
        document = target.with_suffix(".pdf")
        document.write_bytes(base64.b64decode(encoded))
        subprocess.run(["pdftoppm", "-singlefile", "-jpeg", "-r", "80", str(document), str(target)], check=True)
        document.unlink()


def name_of(room: Room, path: str) -> str:
    words = re.findall(r"[a-z0-9_]+|\*", kind_of(path).removeprefix("/manage"))
    return "-".join([room.name, *("one" if word == "*" else word for word in words)]) if words else f"{room.name}-start"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("var/screenshots"))
    parser.add_argument("--port", type=int, help="of a demo that already runs")
    parser.add_argument("--room", default="", help="stranger, partner, customer or backoffice")
    options = parser.parse_args()
    running = nullcontext({PARTNERS[0].slug: Site(PARTNERS[0], options.port)}) if options.port else running_demo()
    with running as sites:
        problems = paint(sites[PARTNERS[0].slug], options.out, options.room)
    print(f"{len(list(options.out.glob('*.jpg')))} pictures in {options.out}")
    print("\n".join(dict.fromkeys(problems)))


if __name__ == "__main__":
    main()
