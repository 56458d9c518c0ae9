"""Access policies of views that cannot declare their own: the sign-in library's, and those of rooms below accounts.

The architecture test fails for a view that neither carries a policy nor stands here. The library enforces its own.
"""

from __future__ import annotations

from apps.accounts.access import AccessPolicy, Audience

_ANYONE = AccessPolicy(Audience.ANYONE)
_SIGNED_IN = AccessPolicy(Audience.SIGNED_IN)

LIBRARY_VIEW_POLICIES: dict[str, AccessPolicy] = {
    "account_login": _ANYONE,
    "account_logout": _ANYONE,
    "account_inactive": _ANYONE,
    "account_signup": _ANYONE,  # closed: answers with a page that says so
    "account_reauthenticate": _SIGNED_IN,
    "account_email": _SIGNED_IN,
    "account_email_verification_sent": _ANYONE,
    "account_change_password": _SIGNED_IN,
    "account_set_password": _SIGNED_IN,
    "account_reset_password": _ANYONE,
    "account_reset_password_done": _ANYONE,
    "account_reset_password_from_key": _ANYONE,
    "account_reset_password_from_key_done": _ANYONE,
    "account_confirm_login_code": _ANYONE,
    "mfa_index": _SIGNED_IN,
    "mfa_authenticate": _ANYONE,  # the second step of signing in
    "mfa_reauthenticate": _SIGNED_IN,
    "mfa_activate_totp": _SIGNED_IN,
    "mfa_deactivate_totp": _SIGNED_IN,
    "mfa_view_recovery_codes": _SIGNED_IN,
    "mfa_generate_recovery_codes": _SIGNED_IN,
    "mfa_download_recovery_codes": _SIGNED_IN,
    "usersessions_list": _SIGNED_IN,
    "brand_theme": _ANYONE,
    "brand_image": _ANYONE,
    "brand_mark": _ANYONE,
    "brand_icon": _ANYONE,
}
