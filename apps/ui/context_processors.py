"""The `ui` object of every template: theme, navigation, user, request id. The frame is built only when a shell asks for it."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.translation import get_language

from apps.core import correlation

from .nav import Banner, Frame, Navigation, Switch, UserMenu, build_frame

THEME_COOKIE = "theme"
THEMES = ("light", "dark")


class UiContext:
    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def theme(self) -> str:
        chosen = self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else "light"

    @property
    def follows_system(self) -> bool:
        return self._request.COOKIES.get(THEME_COOKIE, "") not in THEMES

    @property
    def language(self) -> str:
        return get_language() or "en"

    @property
    def csrf_token(self) -> str:
        """Only for signed-in people: asking for a token sets a cookie, which public pages must not do."""
        user = getattr(self._request, "user", None)
        return get_token(self._request) if user is not None and user.is_authenticated else ""

    @property
    def request_id(self) -> str:
        return correlation.request_id()

    @cached_property
    def frame(self) -> Frame:
        audience = getattr(self._request, "ui_audience", "")
        match = self._request.resolver_match
        if not audience and match is not None and match.namespaces:
            audience = match.namespaces[0]
        return build_frame(self._request, audience)

    @property
    def nav(self) -> Navigation:
        return self.frame.nav

    @property
    def user(self) -> UserMenu | None:
        return self.frame.user

    @property
    def switches(self) -> tuple[Switch, ...]:
        return self.frame.switches

    @property
    def banner(self) -> Banner | None:
        return self.frame.banner

    @property
    def palette_url(self) -> str:
        return self.frame.palette_url

    @property
    def palette_placeholder(self) -> str:
        return self.frame.palette_placeholder

    @property
    def home_url(self) -> str:
        return self.frame.home_url


def ui(request: HttpRequest) -> dict[str, Any]:
    return {"ui": UiContext(request)}
