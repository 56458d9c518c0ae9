"""The brand as every surface sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LegalLink:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Brand:
    """A partner's look, ready for templates, mails and documents. The neutral one (no partner) has empty fields."""

    name: str = ""
    initials: str = ""
    logo_url: str = ""
    logo_dark_url: str = ""
    favicon_url: str = ""
    theme_url: str = ""
    primary_color: str = "#3b5bdb"
    primary_text_color: str = "#ffffff"
    link_color: str = "#3b5bdb"
    accent_color: str = "#0ca678"
    corner_radius: int = 6
    support_email: str = ""
    support_phone: str = ""
    support_url: str = ""
    sign_in_text: str = ""
    mail_from_name: str = ""
    postal_address: str = ""
    legal_links: tuple[LegalLink, ...] = ()
    locale: str = "en"


NEUTRAL_BRAND = Brand()
