from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.lists import ListSettings

_TABS = [
    ("Profile", ("account_profile",)),
    ("E-mail", ("account_email",)),
    ("Password", ("account_change_password",)),
    (
        "Two-factor",
        (
            "mfa_index", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
        ),
    ),
    ("Sessions", ("usersessions_list",)),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountTab:
    label: str
    url: str
    active: bool
    count: None = None


def list_settings(request: HttpRequest) -> dict[str, ListSettings]:
    """What the person keeps about the list of this page; nothing is read before a list asks."""
    return {"list_settings": ListSettings(request)}


def account_tabs(request: HttpRequest) -> dict[str, list[AccountTab]]:
    """The tabs of "Your account": its pages are the sign-in library's, whose views cannot pass them."""
    if not request.path.startswith("/accounts/"):
        return {}
    here = request.resolver_match.url_name if request.resolver_match else ""
    return {"account_tabs": [AccountTab(label, reverse(names[0]), here in names) for label, names in _TABS]}
