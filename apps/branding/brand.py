"""The brand as every surface sees it."""

from __future__ import annotations

from dataclasses import dataclass


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
    accent_color: str = "#0ca678"
    support_email: str = ""
    support_phone: str = ""
    support_url: str = ""
    mail_from_name: str = ""
    postal_address: str = ""
    locale: str = "en"


NEUTRAL_BRAND = Brand()
