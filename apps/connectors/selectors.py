from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.errors import NotVisible


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
