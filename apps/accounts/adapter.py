"""What the sign-in library asks of us: who may join, where people land, and how its mails are sent."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django_tenants.utils import get_public_schema_name

from apps.accounts.models import StaffMembership, User
from apps.audit.services import record_audit
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.planes import current_schema
from apps.notifications.services import send_mail

# Library template -> our template, and whether the mail lets its reader in.
_MAILS = {
    "account/email/email_confirmation": ("verification_code", True),
    "account/email/email_confirmation_signup": ("verification_code", True),
    "account/email/password_reset_key": ("password_reset", True),
    "account/email/account_already_exists": ("address_in_use", False),
}
_NOTICES = {
    "account/email/password_changed": "Your password was changed.",
    "account/email/password_set": "A password was set for your account.",
    "account/email/password_reset": "Your password was reset.",
    "account/email/email_changed": "The e-mail address of your account was changed.",
    "account/email/email_confirm": "An e-mail address of your account was confirmed.",
    "account/email/email_deleted": "An e-mail address was removed from your account.",
    "mfa/email/totp_activated": "An authenticator app was added to your account.",
    "mfa/email/totp_deactivated": "The authenticator app was removed from your account.",
    "mfa/email/recovery_codes_generated": "A new set of recovery codes was made for your account.",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc, unused-ignore]
    """People join by invitation only; nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def new_user(self, request: HttpRequest) -> Any:
        user = super().new_user(request)
        user.created_at = clock.now()
        return user

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return home_of(request.user)  # type: ignore[arg-type]

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        record_audit(
            actor=Actor(ActorKind.USER, str(user.pk), str(user)), action="person.signed_in",
            target_key=f"user:{user.pk}", target_label=user.email, now=clock.now(),
        )  # fmt: skip
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        if template_prefix in _NOTICES:
            template, is_secret = "security_notice", False
            context = {"notice": _NOTICES[template_prefix], "happened_at": clock.now(), "ip": context.get("ip", "")}
        else:
            template, is_secret = _MAILS[template_prefix]
            context = {"code": context.get("code", ""), "url": context.get("password_reset_url", "")}
        send_mail(
            kind=f"accounts.{template}", recipient=email, template=template, context=context, now=clock.now(),
            is_secret=is_secret,
        )  # fmt: skip

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """The library announces what the page shows anyway ("Successfully signed in as …"): we keep quiet."""


def home_of(user: User) -> str:
    """Where the person lands after signing in: staff in the partner portal, everybody else at the root."""
    is_staff = StaffMembership.objects.filter(user=user).exists()
    return "/manage/" if is_staff and current_schema() != get_public_schema_name() else "/"
