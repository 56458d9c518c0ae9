from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.tokens import token_hash
from apps.connectors import budget
from apps.connectors.models import (
    Connection,
    ConnectLink,
    CustomConnector,
    CustomConnectorVersion,
    OAuthApp,
    PendingAuthorization,
    StoredFile,
)
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.declared.files.outbox import SENT
from apps.connectors.sdk.machine_access import machine_access
from apps.connectors.sdk.manifest import ConfigField
from apps.core.actor import Actor, ActorKind
from apps.core.errors import AnticipatedError, NotVisible
from apps.core.planes import require_tenant_schema
from apps.tenants.selectors import absolute_url, platform_host

CONNECT_PURPOSE = "connect"


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


def list_custom_connectors(actor: Actor) -> QuerySet[CustomConnector]:
    """The partner's own connectors, drafts among them; nobody of a customer sees one."""
    if actor.scope is not None:
        return CustomConnector.objects.none()
    return CustomConnector.objects.filter(archived_at=None).select_related("published").order_by("name")


def get_custom_connector(actor: Actor, connector_id: UUID) -> CustomConnector:
    """Raises NotVisible."""
    found = list_custom_connectors(actor).filter(pk=connector_id).first()
    if found is None:
        raise NotVisible("There is no such connector.")
    return found


def get_custom_version(connector: CustomConnector, version_id: UUID) -> CustomConnectorVersion:
    """Raises NotVisible."""
    found = connector.versions.filter(pk=version_id).first()
    if found is None:
        raise NotVisible("There is no such version.")
    return found


def get_stored_file(connection: Connection, file_id: UUID) -> StoredFile:
    """Raises NotVisible."""
    found = list_stored_files(connection).filter(pk=file_id).first()
    if found is None:
        raise NotVisible("There is no such file.")
    return found


def list_stored_files(connection: Connection) -> QuerySet[StoredFile]:
    """Files that came in or go out, newest first; without what is half written and the entries of what was sent."""
    internal = Q(name__startswith=".") | Q(folder=SENT) | Q(folder__endswith=f"/{SENT}")
    files = StoredFile.objects.filter(connection=connection).exclude(internal)
    return files.select_related("connection").order_by("-uploaded_at", "id")


def find_oauth_app(vendor: str) -> OAuthApp | None:
    return OAuthApp.objects.filter(vendor=vendor).first()


def hook_address(thing: Connection | OAuthApp) -> str:
    """What to enter at the vendor; on the permanent host, so that an own domain added later breaks nothing."""
    return absolute_url(platform_host(require_tenant_schema()), f"/hooks/{thing.webhook_token}/")


class ConnectLinkUnusable(AnticipatedError):
    """The link is unknown, used, withdrawn or too old; `state` says which."""

    code = "connect_link_unusable"
    status = 410

    def __init__(self, state: str) -> None:
        super().__init__(_UNUSABLE[state])
        self.state = state


_UNUSABLE = {
    "unknown": "There is no such link. Open it from the newest mail, or ask for a new one.",
    "used": "This link has done its work.",
    "withdrawn": "This link was replaced or withdrawn. Open the one in the newest mail, or ask for a new one.",
    "expired": "This link is older than a week. Ask for a new one.",
}


def find_connect_link(token: str) -> ConnectLink:
    """The link in whatever state. Raises ConnectLinkUnusable when there is none."""
    links = ConnectLink.objects.select_related("connection__customer", "connection__environment")
    link = links.filter(token_hash=token_hash(CONNECT_PURPOSE, token), connection__archived_at=None).first()
    if link is None:
        raise ConnectLinkUnusable("unknown")
    return link


def get_connect_link(token: str, now: datetime) -> ConnectLink:
    """A link that still works. Raises ConnectLinkUnusable."""
    link = find_connect_link(token)
    if link.used_at is not None:
        raise ConnectLinkUnusable("used")
    if link.withdrawn_at is not None:
        raise ConnectLinkUnusable("withdrawn")
    if link.expires_at <= now:
        raise ConnectLinkUnusable("expired")
    return link


def link_actor(link: ConnectLink) -> Actor:
    """Who acts when a link is used: may authorize, and sees this one customer."""
    permissions = frozenset({"connections.authorize"})
    scope = frozenset({link.connection.customer_id})
    return Actor(ActorKind.LINK, str(link.pk), link.email, permissions, scope)


def list_open_connect_links(connection: Connection, now: datetime) -> QuerySet[ConnectLink]:
    return ConnectLink.objects.filter(
        connection=connection, used_at=None, withdrawn_at=None, expires_at__gt=now
    ).order_by("-created_at")


def open_fields(connection: Connection) -> list[ConfigField]:
    """What whoever gives access has to enter: the secrets, and the settings nobody has filled in yet."""
    manifest = get_manifest(connection.vendor)
    access = machine_access(manifest, connection.settings)
    fields = (*manifest.config, *access.config) if access else manifest.config
    return [field for field in fields if field.secret or _is_left_open(field, connection)]


def _is_left_open(field: ConfigField, connection: Connection) -> bool:
    return field.required and not field.default and not connection.settings.get(field.key)


def hash_state(state: str) -> str:
    return sha256(state.encode()).hexdigest()


def find_pending_authorization(state: str) -> PendingAuthorization | None:
    """The consent that waits for this state."""
    waiting = PendingAuthorization.objects.select_related("connection__customer")
    return waiting.filter(state_hash=hash_state(state)).first()


def find_return_path(state: str) -> str | None:
    """Where the person who began this consent wants to end up; None for a state nobody waits for."""
    waiting = PendingAuthorization.objects.filter(state_hash=hash_state(state))
    return waiting.values_list("return_path", flat=True).first()
