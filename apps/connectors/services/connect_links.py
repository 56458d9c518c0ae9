"""Mailed links by which somebody at the customer gives access to their own system, without an account with us.

The token is kept as a hash and opens one connection only. Who holds it may enter what the connection still lacks, or
agree on the vendor's page; they see no secret, no record and nothing of the portal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.accounts.tokens import new_token, token_hash
from apps.audit.services import record_change
from apps.connectors.models import Connection, ConnectLink
from apps.connectors.registry import get_manifest
from apps.connectors.selectors import CONNECT_PURPOSE, ConnectLinkUnusable, get_connect_link, link_actor
from apps.connectors.services.authorizations import begin_authorization
from apps.connectors.services.checks import require_seen
from apps.connectors.services.connections import complete_connection
from apps.connectors.services.inputs import UnableToConnect
from apps.core.actor import Actor
from apps.core.planes import require_tenant_schema
from apps.notifications.services import send_mail
from apps.tenants.selectors import absolute_url, platform_host

LIFETIME = timedelta(days=7)
KIND = "connectors.connect_link"
LONGEST_MESSAGE = 500


@transaction.atomic
def send_connect_link(
    *, actor: Actor, now: datetime, connection: Connection, email: str, message: str = ""
) -> ConnectLink:
    """This function will mail a link that connects this connection; links sent before stop working.

    Raises UnableToConnect, NotPermitted, NotVisible.
    """
    actor.require("connections.manage")
    require_seen(actor, connection)
    if connection.archived_at is not None:
        raise UnableToConnect("The connection is archived.")
    token = new_token()
    _open_links(connection).update(withdrawn_at=now)
    link = ConnectLink.objects.create(
        connection=connection,
        email=_clean_address(email),
        message=message.strip()[:LONGEST_MESSAGE],
        token_hash=token_hash(CONNECT_PURPOSE, token),
        sent_by_label=actor.label,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    _mail(link, token, now)
    record_change(actor=actor, now=now, target=link.connection, action="connect_link.sent", after={"email": link.email})
    return link


@transaction.atomic
def withdraw_connect_link(*, actor: Actor, now: datetime, link: ConnectLink) -> ConnectLink:
    """This function will make the link useless. Safe to repeat."""
    actor.require("connections.manage")
    require_seen(actor, link.connection)
    if _open_links(link.connection).filter(pk=link.pk).update(withdrawn_at=now):
        link.withdrawn_at = now
        record_change(
            actor=actor, now=now, target=link.connection, action="connect_link.withdrawn", after={"email": link.email}
        )
    return link


def connect_by_link(
    *, token: str, now: datetime, settings: Mapping[str, Any], secrets: Mapping[str, str]
) -> Connection:
    """This function will check and store what the link's holder entered; the link is used up by that.

    Raises ConnectLinkUnusable, and UnableToConnect with the field to change.
    """
    link = get_connect_link(token, now)
    return complete_connection(
        actor=link_actor(link), now=now, connection=link.connection, settings=settings, secrets=secrets,
        spend=lambda: _spend(link, now),
    )  # fmt: skip


def _spend(link: ConnectLink, now: datetime) -> None:
    """In the caller's transaction: of two who use it at once one does. Raises ConnectLinkUnusable."""
    if not _open_links(link.connection).filter(pk=link.pk).update(used_at=now):
        is_used = ConnectLink.objects.filter(pk=link.pk, used_at__isnull=False).exists()
        raise ConnectLinkUnusable("used" if is_used else "withdrawn")


def begin_consent_by_link(*, token: str, now: datetime, return_path: str) -> str:
    """The vendor's address to send the link's holder to. Raises ConnectLinkUnusable, UnableToAuthorize."""
    link = get_connect_link(token, now)
    return begin_authorization(actor=link_actor(link), now=now, connection=link.connection, return_path=return_path)


def _open_links(connection: Connection) -> Any:
    return ConnectLink.objects.filter(connection=connection, used_at=None, withdrawn_at=None)


def _clean_address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise UnableToConnect("Enter a whole e-mail address.", field="email") from None
    return address


def _mail(link: ConnectLink, token: str, now: datetime) -> None:
    connection = link.connection
    send_mail(
        kind=KIND,
        recipient=link.email,
        template="connect_link",
        context={
            "vendor_name": get_manifest(connection.vendor).name,
            "customer_name": connection.customer.name,
            "asked_by": link.sent_by_label,
            "message": link.message,
            "expires_at": link.expires_at,
            "url": absolute_url(platform_host(require_tenant_schema()), f"/connect/{token}/"),
        },
        now=now,
        is_secret=True,
    )
