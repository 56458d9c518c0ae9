"""A connection as its customer sees it: no settings, no secrets."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.connectors.models import Connection
from apps.connectors.registry import UnknownVendor, get_manifest
from apps.connectors.sdk.machine_access import machine_access
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest
from apps.core.actor import Actor
from apps.customer_portal.selectors.landscape import list_integrations
from apps.flows.models import Integration
from apps.ui.markup import datetime_tag


def connects_by_consent(connection: Connection) -> bool:
    try:
        manifest = get_manifest(connection.vendor)
        return manifest.auth is AuthKind.OAUTH2 and machine_access(manifest, connection.settings) is None
    except UnknownVendor:
        return False


def what_is_exchanged(manifest: ConnectorManifest) -> dict[str, str]:
    """The objects that are read and written, in words, for whoever has to agree."""
    return {
        "reads": ", ".join(spec.label for spec in manifest.streams),
        "writes": ", ".join(spec.label for spec in manifest.sinks),
    }


def connection_facts(connection: Connection) -> list[tuple[str, Any]]:
    facts = [("Account", connection.account_name), ("Last checked", datetime_tag(connection.checked_at))]
    return [*facts, ("What is wrong", connection.status_reason)] if connection.status_reason else facts


def list_uses(actor: Actor, connection: Connection) -> QuerySet[Integration]:
    """The integrations that stop when this connection does."""
    return list_integrations(actor).filter(role_bindings__connection=connection).distinct()
