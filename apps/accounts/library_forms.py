"""The sign-in library's forms in our words: labels instead of placeholders, help where it is needed."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp

_EMAIL = "E-mail"


class _Plain:
    """Take placeholders away (they repeat the label and vanish while typing) and set the labels given."""

    labels: dict[str, str] = {}
    helps: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.helps.get(name, "")


class LoginForm(_Plain, account.LoginForm):  # type: ignore[misc, unused-ignore]
    labels = {"login": _EMAIL, "remember": "Stay signed in on this device"}


class ResetPasswordForm(_Plain, account.ResetPasswordForm):  # type: ignore[misc, unused-ignore]
    labels = {"email": _EMAIL}


class ResetPasswordKeyForm(_Plain, account.ResetPasswordKeyForm):  # type: ignore[misc, unused-ignore]
    labels = {"password1": "New password", "password2": "New password again"}
    helps = {"password1": "At least 8 characters. A sentence is easiest to remember."}


class ChangePasswordForm(_Plain, account.ChangePasswordForm):  # type: ignore[misc, unused-ignore]
    labels = {"oldpassword": "Present password", "password1": "New password", "password2": "New password again"}
    helps = {"password1": "At least 8 characters. A sentence is easiest to remember."}


class AddEmailForm(_Plain, account.AddEmailForm):  # type: ignore[misc, unused-ignore]
    labels = {"email": "New address"}
    helps = {"email": "A code is sent to it; the address changes once you enter the code."}


class ConfirmEmailVerificationCodeForm(_Plain, account.ConfirmEmailVerificationCodeForm):  # type: ignore[misc, unused-ignore]
    labels = {"code": "Code from the mail"}


class ReauthenticateForm(_Plain, account.ReauthenticateForm):  # type: ignore[misc, unused-ignore]
    labels = {"password": "Password"}


class AuthenticateForm(_Plain, mfa.AuthenticateForm):  # type: ignore[misc, unused-ignore]
    labels = {"code": "Code"}
    helps = {"code": "Six digits from your authenticator app, or one of your recovery codes."}


class MfaReauthenticateForm(_Plain, mfa.ReauthenticateForm):  # type: ignore[misc, unused-ignore]
    labels = {"code": "Code"}
    helps = {"code": "Six digits from your authenticator app, or one of your recovery codes."}


class ActivateTotpForm(_Plain, totp.ActivateTOTPForm):  # type: ignore[misc, unused-ignore]
    labels = {"code": "Code shown by the app"}
