from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.access import Audience, find_actor
from apps.accounts.models import User
from apps.ui.nav import Frame, MenuLink, Navigation, NavItem, NavSection, UserMenu


def build_frame(request: HttpRequest) -> Frame:
    user = request.user
    actor = getattr(request, "actor", None) or find_actor(Audience.OPERATOR, request)
    if actor is None or not isinstance(user, User):
        return Frame()
    items = (
        NavItem("Partners", reverse("backoffice:partner_list"), "building-store", prefix="/partners/"),
        NavItem("Provisioning", reverse("backoffice:provisioning_log"), "rocket"),
        NavItem("Platform health", reverse("backoffice:platform_health"), "activity-heartbeat"),
    )
    links = (MenuLink("Your account", reverse("account_profile"), "user"),)
    menu = UserMenu(str(user), user.email, "Operator", links)
    return Frame(nav=Navigation((NavSection(items),)), user=menu, home_url=reverse("backoffice:partner_list"))
