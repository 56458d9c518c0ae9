"""The brand as custom properties: the one style sheet that differs between partners."""

from __future__ import annotations

from hashlib import sha256

from apps.branding.colors import (
    fill_on_dark,
    link_on_dark,
    link_on_white,
    shifted,
    text_color_on,
)

_HOVER = 0.12


def theme_css(*, primary_color: str, accent_color: str, corner_radius: int, selector: str = ":root") -> str:
    """This function will write the sheet. Callers have validated the colors: they go into CSS as they are."""
    dark = fill_on_dark(primary_color)
    on_white, on_dark = link_on_white(primary_color), link_on_dark(primary_color)
    properties = {
        "--tblr-primary": _either(primary_color, dark),
        "--tblr-primary-fg": _either(text_color_on(primary_color), text_color_on(dark)),
        "--tblr-link-color": _either(on_white, on_dark),
        "--tblr-link-hover-color": _either(shifted(on_white, -_HOVER), shifted(on_dark, _HOVER)),
        "--ui-accent": _either(accent_color, fill_on_dark(accent_color)),
        "--tblr-border-radius": f"{corner_radius}px",
        "--tblr-border-radius-sm": f"{max(corner_radius - 2, 0)}px",
        "--tblr-border-radius-lg": f"{corner_radius + 4}px",
    }
    # The attribute makes it as strong as the sheet's own per-mode rules.
    selectors = f"{selector},{selector}[data-bs-theme]"
    return selectors + "{" + "".join(f"{name}:{value};" for name, value in properties.items()) + "}\n"


def theme_hash(css: str) -> str:
    return sha256(css.encode()).hexdigest()[:16]


def mark_svg(*, initials: str, primary_color: str) -> str:
    """A favicon for a partner without one: the initials on the brand color. `initials` are letters and digits only."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{primary_color}"/>'
        f'<text x="16" y="21.5" text-anchor="middle" font-family="system-ui,sans-serif" font-size="15" '
        f'font-weight="700" fill="{text_color_on(primary_color)}">{initials}</text></svg>\n'
    )


def _either(light: str, dark: str) -> str:
    return light if light == dark else f"light-dark({light},{dark})"
