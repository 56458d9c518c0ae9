from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db.models import QuerySet

from apps.connectors import budget
from apps.connectors.models import Connection, OAuthApp, PendingAuthorization
from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.planes import require_tenant_schema
from apps.tenants.selectors import absolute_url, platform_host


def list_connections(actor: Actor) -> QuerySet[Connection]:
    """The connections in use that the actor may see, by name."""
    visible = Connection.objects.visible_to(actor).filter(archived_at=None)
    return visible.select_related("customer", "environment").order_by("name", "id")


def get_connection(actor: Actor, connection_id: UUID) -> Connection:
    """Raises NotVisible."""
    found = (
        Connection.objects.visible_to(actor).select_related("customer", "environment").filter(pk=connection_id).first()
    )
    if found is None:
        raise NotVisible("There is no such connection.")
    return found


@dataclass(frozen=True, slots=True)
class CallUsage:
    """Vendor calls of today (UTC). `share` is None where the vendor counts no days."""

    calls_today: int
    calls_per_day: int | None

    @property
    def share(self) -> float | None:
        return self.calls_today / self.calls_per_day if self.calls_per_day else None

    @property
    def label(self) -> str:
        if self.share is None:
            return f"{self.calls_today} calls today"
        return f"{self.share:.0%} of today's calls used".replace("%", " %")


def get_call_usage(connection: Connection, now: datetime) -> CallUsage:
    limit = get_manifest(connection.vendor).rate_limit
    return CallUsage(budget.calls_today(connection.pk, now), limit.per_day)


def list_oauth_apps() -> QuerySet[OAuthApp]:
    """The partner's apps at vendors; their secrets stay sealed."""
    return OAuthApp.objects.order_by("vendor")


def find_oauth_app(vendor: str) -> OAuthApp | None:
    return OAuthApp.objects.filter(vendor=vendor).first()


def hook_address(thing: Connection | OAuthApp) -> str:
    """What to enter at the vendor; on the permanent host, so that an own domain added later breaks nothing."""
    return absolute_url(platform_host(require_tenant_schema()), f"/hooks/{thing.webhook_token}/")


def hash_state(state: str) -> str:
    return sha256(state.encode()).hexdigest()


def find_return_path(state: str) -> str | None:
    """Where the person who began this consent wants to end up; None for a state nobody waits for."""
    waiting = PendingAuthorization.objects.filter(state_hash=hash_state(state))
    return waiting.values_list("return_path", flat=True).first()
