"""Telling people that a connection waits for them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.accounts.models import StaffMembership
from apps.accounts.policies import StaffRole
from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.core.planes import require_tenant_schema
from apps.customers.selectors import list_admin_addresses
from apps.notifications.services import send_mail
from apps.tenants.selectors import absolute_url, platform_host

KIND = "connectors.needs_reauthorization"
END_KIND = "connectors.access_ends"


def mail_reauthorization(*, connection: Connection, episode: UUID, now: datetime) -> int:
    """This function will write to the customer's administrators and the partner's owner, once per episode each.

    Everybody gets the page of their own portal; returns how many mails were meant.
    """
    pages = dict.fromkeys(_owner_addresses(), f"/manage/connections/{connection.pk}/")
    pages |= dict.fromkeys(list_admin_addresses(connection.customer_id), f"/connections/{connection.pk}/")
    host = platform_host(require_tenant_schema())
    for address, page in pages.items():
        send_mail(
            kind=KIND,
            recipient=address,
            template="reauthorize_connection",
            context={
                "vendor_name": get_manifest(connection.vendor).name,
                "connection_name": connection.name,
                "customer_name": connection.customer.name,
                "url": absolute_url(host, page),
            },
            now=now,
            key=f"{episode}:{address}",
        )
    return len(pages)


def mail_end_of_access(*, connection: Connection, ends_at: datetime, now: datetime) -> int:
    """This function will tell the same people that access ends, and when; once per end and stage."""
    days = max(0, (ends_at - now).days)
    pages = dict.fromkeys(_owner_addresses(), f"/manage/connections/{connection.pk}/")
    pages |= dict.fromkeys(list_admin_addresses(connection.customer_id), f"/connections/{connection.pk}/")
    host = platform_host(require_tenant_schema())
    for address, page in pages.items():
        send_mail(
            kind=END_KIND,
            recipient=address,
            template="access_ends",
            context={
                "vendor_name": get_manifest(connection.vendor).name,
                "connection_name": connection.name,
                "customer_name": connection.customer.name,
                "ends_at": ends_at,
                "days": days,
                "url": absolute_url(host, page),
            },
            now=now,
        )
    return len(pages)


def _owner_addresses() -> list[str]:
    owners = StaffMembership.objects.filter(role=StaffRole.OWNER, user__is_active=True)
    return list(owners.values_list("user__email", flat=True))
