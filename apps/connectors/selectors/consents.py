"""Apps at vendors, mailed links, and consents under way."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from django.db.models import QuerySet

from apps.accounts.tokens import token_hash
from apps.connectors.models import Connection, ConnectLink, OAuthApp, PendingAuthorization
from apps.core.actor import Actor, ActorKind
from apps.core.errors import AnticipatedError

CONNECT_PURPOSE = "connect"


def find_oauth_app(vendor: str) -> OAuthApp | None:
    return OAuthApp.objects.filter(vendor=vendor).first()


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


def list_oauth_apps(actor: Actor) -> QuerySet[OAuthApp]:
    """The partner's apps at vendors. Raises NotPermitted for whoever sees only some of the customers."""
    actor.require("connectors.manage")
    actor.require_sight_of_all(
        "The partner’s apps serve all customers: only the partner’s own people and keys see them."
    )
    return OAuthApp.objects.order_by("vendor", "id")


def list_connect_links(actor: Actor, connection: Connection) -> QuerySet[ConnectLink]:
    """All that were mailed for the connection, in whatever state, newest first. Raises NotVisible."""
    actor.require_sight(connection.customer_id, "There is no such connection.")
    links = ConnectLink.objects.filter(connection=connection).select_related("connection__customer")
    return links.order_by("-created_at", "-id")


def list_open_connect_links(connection: Connection, now: datetime) -> QuerySet[ConnectLink]:
    return ConnectLink.objects.filter(
        connection=connection, used_at=None, withdrawn_at=None, expires_at__gt=now
    ).order_by("-created_at")


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
