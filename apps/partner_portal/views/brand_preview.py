"""What a brand would look like: the checked values behind the preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from apps.branding.colors import (
    DARK_SURFACE,
    READABLE,
    VISIBLE,
    WHITE,
    contrast,
    is_hex_color,
    is_readable_fill,
    link_on_dark,
    link_on_white,
    nearest_readable_fill,
    text_color_on,
)
from apps.branding.models import CornerRadius
from apps.branding.selectors import initials_of

_FALLBACK = "#3b5bdb"


@dataclass(frozen=True, slots=True)
class ContrastCheck:
    label: str
    ratio: float
    needed: float

    @property
    def passes(self) -> bool:
        return self.ratio >= self.needed


@dataclass(frozen=True, slots=True)
class BrandPreview:
    name: str
    initials: str
    primary_color: str
    accent_color: str
    corner_radius: int
    suggestion: str
    checks: list[ContrastCheck]
    theme_url: str
    sign_in_text: str


def build_preview(data: Mapping[str, Any]) -> BrandPreview:
    """This function will make something showable of whatever stands in the form."""
    primary, accent, radius = read_look(data)
    name = str(data.get("display_name", ""))[:80]
    query = urlencode({"primary_color": primary, "accent_color": accent, "corner_radius": radius})
    return BrandPreview(
        name=name,
        initials=initials_of(name),
        primary_color=primary,
        accent_color=accent,
        corner_radius=radius,
        suggestion="" if is_readable_fill(primary) else nearest_readable_fill(primary),
        checks=_checks(primary),
        theme_url=f"{reverse('partner_portal:brand_preview_theme')}?{query}",
        sign_in_text=str(data.get("sign_in_text", ""))[:200],
    )


def read_look(data: Mapping[str, Any]) -> tuple[str, str, int]:
    """Colors and radius that may stand in a style sheet, whatever was asked for."""
    primary, accent = (str(data.get(name, "")).lower() for name in ("primary_color", "accent_color"))
    radius = str(data.get("corner_radius", ""))
    allowed = {str(value): value for value in CornerRadius.values}
    return (
        primary if is_hex_color(primary) else _FALLBACK,
        accent if is_hex_color(accent) else _FALLBACK,
        int(allowed.get(radius, CornerRadius.SOFT)),
    )


def _checks(primary: str) -> list[ContrastCheck]:
    return [
        ContrastCheck("Text on the color", round(contrast(text_color_on(primary), primary), 1), READABLE),
        ContrastCheck("The color on a white page", round(contrast(primary, WHITE), 1), VISIBLE),
        ContrastCheck("Links on white", round(contrast(link_on_white(primary), WHITE), 1), READABLE),
        ContrastCheck("Links on dark", round(contrast(link_on_dark(primary), DARK_SURFACE), 1), READABLE),
    ]
