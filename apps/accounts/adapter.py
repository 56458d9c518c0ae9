from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from apps.core import clock


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """People join by invitation only; nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def new_user(self, request: HttpRequest) -> Any:
        user = super().new_user(request)
        user.created_at = clock.now()
        return user
