"""Connections, what they may call today, and what they still need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.connectors import budget
from apps.connectors.models import Connection, OAuthApp
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.machine_access import machine_access
from apps.connectors.sdk.manifest import ConfigField
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
            return "1 call today" if self.calls_today == 1 else f"{self.calls_today} calls today"
        return f"{self.share:.0%} of today's calls used".replace("%", " %")


def get_call_usage(connection: Connection, now: datetime) -> CallUsage:
    limit = get_manifest(connection.vendor).rate_limit
    return CallUsage(budget.calls_today(connection.pk, now), limit.per_day)


def open_fields(connection: Connection) -> list[ConfigField]:
    """What whoever gives access has to enter: the secrets, and the settings nobody has filled in yet."""
    manifest = get_manifest(connection.vendor)
    access = machine_access(manifest, connection.settings)
    fields = (*manifest.config, *access.config) if access else manifest.config
    return [field for field in fields if field.secret or _is_left_open(field, connection)]


def _is_left_open(field: ConfigField, connection: Connection) -> bool:
    return field.required and not field.default and not connection.settings.get(field.key)


def hook_address(thing: Connection | OAuthApp) -> str:
    """What to enter at the vendor; on the permanent host, so that an own domain added later breaks nothing."""
    return absolute_url(platform_host(require_tenant_schema()), f"/hooks/{thing.webhook_token}/")
