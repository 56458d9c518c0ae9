"""Two integrations over one connection that read an object differently: each would take the other's reading for edits."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from apps.connectors.models import Connection
from apps.flows.binding import merged
from apps.flows.layers import Fields, mapped_objects, place_of, published_mappings
from apps.flows.models import Integration, IntegrationStatus


class Reading(NamedTuple):
    label: str
    connection: Connection
    fields: Fields


def rivalry(integration: Integration, *, as_drafted: bool) -> str:
    """Why the integration must not run beside the live ones; empty when it may.

    `as_drafted`: by what is being edited in all of them, else by what they do now.
    """
    own = _readings(integration, as_drafted)
    connections = {connection_id for connection_id, _ in own}
    live = Integration.objects.filter(status=IntegrationStatus.LIVE, role_bindings__connection_id__in=connections)
    for other in live.exclude(pk=integration.pk).select_related("template_version").distinct().order_by("created_at"):
        for place, theirs in _readings(other, as_drafted).items():
            if place in own and own[place].fields != theirs.fields:
                return _told(other, own[place], theirs)
    return ""


def _readings(integration: Integration, as_drafted: bool) -> dict[tuple[UUID, str], Reading]:
    published = {place_of(mapping): mapping.fields for mapping in published_mappings(integration)}
    found = {}
    for mapped in mapped_objects(integration):
        if mapped.direction == "read":
            fields = mapped.resolved() if as_drafted else merged(mapped.connector, published.get(mapped.place, {}))
            found[mapped.connection.pk, mapped.object_name] = Reading(mapped.label, mapped.connection, fields)
    return found


def _told(other: Integration, own: Reading, theirs: Reading) -> str:
    names = sorted(n for n in {**own.fields, **theirs.fields} if own.fields.get(n) != theirs.fields.get(n))
    return (
        f"“{other.name}” reads {own.label.lower()} from {own.connection.name} with another mapping of "
        f"{', '.join(names)}. Map them alike in both integrations, or give this one a connection of its own."
    )
