"""Pictures of pages: desktop and phone, light and dark.

python -m tests.browser.screens http://acme.localhost:8000 home=/manage/ sign-in=/accounts/login/ --out docs/screenshots
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES: Mapping[str, tuple[int, int]] = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")


def sign_in(page: Page, base: str, email: str, password: str) -> None:
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_load_state("networkidle")


def take_screens(
    base: str, pages: Mapping[str, str], out: Path, *, themes: Sequence[str] = THEMES, sizes: Sequence[str] = tuple(SIZES),
    full: bool = True, login: tuple[str, str] | None = None,
) -> list[str]:  # fmt: skip
    """Save `<name>-<size>-<theme>.png` for every page; returns what the browser's console complained about."""
    out.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for size in sizes:
            width, height = SIZES[size]
            for theme in themes:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=size == "phone", is_mobile=size == "phone",
                )  # fmt: skip
                context.add_cookies([{"name": "theme", "value": theme, "url": base}])
                page = context.new_page()
                page.on("console", partial(_note, complaints))
                if login:
                    sign_in(page, base, *login)
                for name, path in pages.items():
                    shoot(page, f"{base}{path}", out / f"{name}-{size}-{theme}.png", full=full)
                    complaints += sideways_scroll(page, f"{name} {size}")
                context.close()
        browser.close()
    return complaints


def _note(complaints: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        complaints.append(message.text)


def shoot(page: Page, url: str, target: Path, *, full: bool) -> None:
    page.goto(url, wait_until="load")
    page.evaluate("document.fonts.ready")
    page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)")
    size = page.viewport_size
    if full and size:
        # A taller window, not a stitched capture: the sidebar reaches the end and clipped drawings stay whole.
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
    page.screenshot(path=str(target), **({"type": "jpeg", "quality": 75} if target.suffix == ".jpg" else {}))
    if size:
        page.set_viewport_size(size)


def sideways_scroll(page: Page, name: str) -> list[str]:
    """A page that scrolls sideways is broken on a phone."""
    extra: Any = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{name}: {extra} px wider than the screen"] if extra > 0 else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("pages", nargs="+", help="name=/path")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--login", nargs=2, metavar=("EMAIL", "PASSWORD"))
    parser.add_argument("--theme", choices=THEMES)
    parser.add_argument("--size", choices=list(SIZES))
    parser.add_argument("--fold", action="store_true", help="only what is visible without scrolling")
    options = parser.parse_args()
    complaints = take_screens(
        options.base, dict(page.split("=", 1) for page in options.pages), options.out,
        themes=[options.theme] if options.theme else THEMES, sizes=[options.size] if options.size else tuple(SIZES),
        full=not options.fold, login=tuple(options.login) if options.login else None,
    )  # fmt: skip
    for complaint in dict.fromkeys(complaints):
        print(complaint)


if __name__ == "__main__":
    main()
