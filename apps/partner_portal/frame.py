"""The navigation of the partner portal: only what the person's role may open."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from apps.accounts.access import staff_actor
from apps.accounts.policies import StaffRole
from apps.core.actor import Actor
from apps.partner_portal.selectors.badges import count_badges
from apps.ui.links import address_of
from apps.ui.nav import Frame, MenuLink, Navigation, NavItem, NavSection, UserMenu


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the navigation; without a permission everyone on the team may open it."""

    label: str
    name: str
    icon: str
    permission: str = ""
    exact: bool = False


WORK = (
    Entry("Home", "partner_portal:home", "home", exact=True),
    Entry("Customers", "partner_portal:customers", "users", "customers.view"),
    Entry("Integrations", "partner_portal:integrations", "route", "integrations.view"),
    Entry("Runs", "partner_portal:runs", "player-play", "runs.view"),
    Entry("Error desk", "partner_portal:errors", "bug", "errors.view"),
    Entry("Exceptions", "partner_portal:exceptions", "flag", "exceptions.view"),
    Entry("Records", "partner_portal:records", "database", "records.view"),
    Entry("Approvals", "partner_portal:approvals", "circle-check", "approvals.view"),
    Entry("Stewardship", "partner_portal:questions", "git-merge", "records.view"),
)
SERVICE = (
    Entry("SLA", "partner_portal:sla", "target", "sla.view"),
    Entry("Billing", "partner_portal:billing", "receipt", "billing.view"),
    Entry("Catalogue", "partner_portal:catalogue", "apps", "connections.view"),
)
SETTINGS = (
    Entry("Brand", "partner_portal:brand", "palette", "brand.manage"),
    Entry("Team", "partner_portal:team", "users-group", "team.view"),
    Entry("API keys", "partner_portal:api_keys", "key", "keys.manage"),
    Entry("Webhooks", "partner_portal:webhooks", "webhook", "webhooks.view"),
    Entry("Limits of runs", "partner_portal:run_limits", "gauge", "integrations.manage"),
    Entry("Outbound addresses", "partner_portal:outbound", "shield", "security.manage"),
    Entry("Logs and privacy", "partner_portal:log_settings", "shield-lock", "security.manage"),
    Entry("Sent mail", "partner_portal:mails", "mail", "audit.view"),
)

BADGES = {
    "partner_portal:errors": ("open", "failing"),
    "partner_portal:approvals": ("waiting to be released", "attention"),
    "partner_portal:questions": ("open", "attention"),
    "partner_portal:exceptions": ("open", "attention"),
}


def build_frame(request: HttpRequest) -> Frame:
    actor = staff_actor(request.user) if request.user.is_authenticated else None
    if actor is None:
        return Frame()
    sections = [NavSection(tuple(_items(actor, WORK))), NavSection(tuple(_items(actor, SERVICE)), "Service")]
    settings = next((entry for entry in SETTINGS if actor.can(entry.permission)), None)
    if settings is not None:
        # Its pages share their tabs: one entry leads to the first the role may open.
        item = NavItem("Settings", address_of(settings.name), "settings", prefix="/manage/settings/")
        sections.append(NavSection((item,), "Your company"))
    return Frame(
        nav=Navigation(tuple(section for section in sections if section.items)),
        user=_user_menu(request),
        palette_url=address_of("partner_portal:palette"),
        home_url=address_of("partner_portal:home"),
    )


def allowed_entries(actor: Actor) -> list[tuple[Entry, str]]:
    """Every page the actor may open, with its address."""
    entries = [*WORK, *SERVICE, *SETTINGS]
    return [(entry, address_of(entry.name)) for entry in entries if not entry.permission or actor.can(entry.permission)]


def _items(actor: Actor, entries: tuple[Entry, ...]) -> list[NavItem]:
    items = []
    counts = count_badges(actor) if any(entry.name in BADGES for entry in entries) else {}
    for entry in entries:
        if entry.permission and not actor.can(entry.permission):
            continue
        label, tone = BADGES.get(entry.name, ("", ""))
        items.append(
            NavItem(
                entry.label, address_of(entry.name), entry.icon, badge=counts.get(entry.name) or None,
                badge_label=label, badge_tone=tone, exact=entry.exact,
            )
        )  # fmt: skip
    return items


def _user_menu(request: HttpRequest) -> UserMenu:
    user = request.user
    role = StaffRole(user.staff_membership.role).label  # type: ignore[union-attr]
    links = (MenuLink("Your account", address_of("account_profile"), "user"),)
    return UserMenu(str(user), user.email, str(role), links)  # type: ignore[union-attr]
