"""The brand of the current plane."""

from __future__ import annotations

from django.core.cache import cache
from django_tenants.utils import get_public_schema_name

from apps.branding.brand import NEUTRAL_BRAND, Brand, LegalLink
from apps.branding.colors import link_on_white, text_color_on
from apps.branding.models import BrandImage, BrandSettings
from apps.branding.theme import mark_svg, theme_css, theme_hash
from apps.core.planes import current_schema
from apps.tenants.selectors import get_partner_of_schema

# The cache's key function puts the schema before it.
CACHE_KEY = "branding.brand"
_CACHE_SECONDS = 3600
_IMAGES = ("logo", "logo_dark", "favicon")


def current_brand() -> Brand:
    """The brand of the partner whose schema is current; the neutral one in public."""
    if current_schema() == get_public_schema_name():
        return NEUTRAL_BRAND
    cached = cache.get(CACHE_KEY)
    if isinstance(cached, Brand):
        return cached
    brand = brand_of(find_brand_settings() or default_brand_settings())
    cache.set(CACHE_KEY, brand, _CACHE_SECONDS)
    return brand


def find_brand_settings() -> BrandSettings | None:
    return BrandSettings.objects.select_related(*_IMAGES).first()


def default_brand_settings() -> BrandSettings:
    """How a partner looks that has set nothing yet: its name and calm colors. Unsaved."""
    return BrandSettings(display_name=get_partner_of_schema(current_schema()).name)


def find_brand_image(sha256: str) -> BrandImage | None:
    return BrandImage.objects.filter(sha256=sha256).first()


def brand_of(settings: BrandSettings) -> Brand:
    initials = initials_of(settings.display_name)
    mark_hash = theme_hash(mark_svg(initials=initials, primary_color=settings.primary_color))
    return Brand(
        name=settings.display_name,
        initials=initials,
        logo_url=settings.logo.url if settings.logo else "",
        logo_dark_url=settings.logo_dark.url if settings.logo_dark else "",
        favicon_url=settings.favicon.url if settings.favicon else f"/brand/mark.{mark_hash}.svg",
        theme_url=f"/theme.{theme_hash(css_of(settings))}.css",
        primary_color=settings.primary_color,
        primary_text_color=text_color_on(settings.primary_color),
        link_color=link_on_white(settings.primary_color),
        accent_color=settings.accent_color,
        corner_radius=settings.corner_radius,
        support_email=settings.support_email,
        support_phone=settings.support_phone,
        support_url=settings.support_url,
        sign_in_text=settings.sign_in_text,
        mail_from_name=settings.mail_from_name or settings.display_name,
        postal_address=settings.postal_address,
        legal_links=_legal_links(settings),
        locale=settings.locale,
    )


def css_of(look: BrandSettings | Brand) -> str:
    return theme_css(primary_color=look.primary_color, accent_color=look.accent_color, corner_radius=look.corner_radius)


def initials_of(name: str) -> str:
    """One or two letters or digits for a mark: `Northwind Traders` gives `NT`, `acme` gives `A`."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper()


def _legal_links(settings: BrandSettings) -> tuple[LegalLink, ...]:
    links = (LegalLink("Privacy", settings.privacy_url), LegalLink("Terms", settings.terms_url))
    return tuple(link for link in links if link.url)
