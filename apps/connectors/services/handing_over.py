"""A customer's connections handed over to the customer it joins, and back, in the caller's transaction and locks."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from apps.connectors.models import Connection
from apps.customers.models import Environment


def hand_over_connections(*, source: UUID, target: Environment, label: str) -> dict[str, str]:
    """This function will make the connections of environment `source` the target's; returns their names until now.

    Two systems of one customer have two names: one that is taken gets `label`, the joining customer's name, behind it.
    """
    connections = list(Connection.objects.filter(environment_id=source).order_by("created_at", "id"))
    names = {str(connection.pk): connection.name for connection in connections}
    _rename(connections, target, label)
    Connection.objects.filter(environment_id=source).update(customer_id=target.customer_id, environment_id=target.pk)
    return names


def hand_back_connections(*, names: Mapping[str, str], target: Environment) -> None:
    """This function will make the connections the target's again, with the names they had there."""
    for pk, name in names.items():
        Connection.objects.filter(pk=pk).update(
            name=name, customer_id=target.customer_id, environment_id=target.pk
        )  # fmt: skip


def _rename(connections: list[Connection], target: Environment, label: str) -> None:
    taken = set(Connection.objects.filter(environment=target, archived_at=None).values_list("name", flat=True))
    for connection in connections:
        if connection.archived_at is not None or connection.name not in taken:
            continue
        name, number = f"{connection.name[:60]} ({label[:40]})", 2
        while name in taken:
            name, number = f"{connection.name[:60]} ({label[:40]} {number})", number + 1
        taken.add(name)
        Connection.objects.filter(pk=connection.pk).update(name=name)
