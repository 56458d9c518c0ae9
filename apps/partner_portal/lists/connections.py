"""The connections of a customer."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.connectors.models import Connection
from apps.connectors.registry import find_manifest
from apps.ui.links import link_to
from apps.ui.status import Status, status_of
from apps.ui.tables import Column, Table, build_table


def connection_status(connection: Connection) -> Status:
    return status_of(connection.status, label=str(connection.get_status_display()))


def vendor_name(connection: Connection) -> str:
    manifest = find_manifest(connection.vendor)
    return manifest.name if manifest else connection.vendor


def _vendor_beside(connection: Connection) -> str:
    """The system below the connection's name, where that does not say it."""
    vendor = vendor_name(connection)
    return "" if connection.name == vendor else vendor


COLUMNS = (
    Column("name", "Connection", main=True, sub=_vendor_beside),
    Column("state", "State", "status", value=connection_status),
    Column("account", "Account", value="account_name", clip=True),
    Column("environment", "Environment", "tag", value=lambda c: c.environment.get_kind_display()),
    Column("reason", "Note", value="status_reason", clip=True, wide_only=True),
    Column("checked_at", "Checked", "datetime"),
)


def connections_table(connections: QuerySet[Connection]) -> Table:
    rows: Any = connections
    return build_table(
        rows, COLUMNS, caption="Connections", noun="connections",
        url=lambda connection: link_to("partner_portal:connection")(connection.pk),
    )  # fmt: skip
