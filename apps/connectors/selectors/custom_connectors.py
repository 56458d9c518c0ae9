"""Connectors that the partner wrote down."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from apps.connectors.models import CustomConnector, CustomConnectorVersion
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.visible import get_visible


def list_custom_connectors(actor: Actor) -> QuerySet[CustomConnector]:
    """The partner's own connectors, drafts among them; nobody of a customer sees one."""
    if actor.scope is not None:
        return CustomConnector.objects.none()
    return CustomConnector.objects.filter(archived_at=None).select_related("published").order_by("name")


def get_custom_connector(actor: Actor, connector_id: UUID) -> CustomConnector:
    """Raises NotVisible."""
    return get_visible(list_custom_connectors(actor), connector_id, "There is no such connector.")


def get_custom_version(connector: CustomConnector, version_id: UUID) -> CustomConnectorVersion:
    """Raises NotVisible."""
    return get_visible(connector.versions.all(), version_id, "There is no such version.")


def get_version_numbered(connector: CustomConnector, number: int) -> CustomConnectorVersion:
    """Raises NotVisible."""
    found = connector.versions.filter(number=number).first()
    if found is None:
        raise NotVisible("There is no such version.")
    return found
