"""Tabs of a domain's pages: each is a page of its own, shown to those who may open it."""

from __future__ import annotations

from typing import Any

from apps.accounts.access import ActorRequest
from apps.ui.links import address_of


class Tabs:
    """Made once per domain from (URL name, label, permission)."""

    def __init__(self, *pages: tuple[str, str, str]) -> None:
        self._pages = pages

    def of(self, request: ActorRequest, active: str) -> list[dict[str, Any]]:
        return [
            {"label": label, "url": address_of(f"partner_portal:{name}"), "active": name == active}
            for name, label, permission in self._pages
            if request.actor.can(permission)
        ]
