"""Is the platform keeping up? Counted from what the dispatcher and PostgreSQL know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, F, Min, Q

from apps.core.actor import Actor
from apps.dispatch.models import WorkItem
from apps.tenants.models import Partner, PartnerStatus
from apps.tenants.selectors import list_partners

# Beyond this the dispatcher is not merely busy.
TOLERATED_LAG_SECONDS = 60
LARGEST = 10
_SCHEMA_SIZES = """
SELECT space.nspname, sum(pg_total_relation_size(relation.oid))::bigint AS bytes
FROM pg_class relation JOIN pg_namespace space ON space.oid = relation.relnamespace
WHERE relation.relkind IN ('r', 'p', 'm') AND space.nspname = ANY(%s)
GROUP BY space.nspname ORDER BY bytes DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class KindOfWork:
    kind: str
    due_count: int
    leased_count: int
    planned_count: int
    oldest_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartnerSize:
    name: str
    byte_count: int


@dataclass(frozen=True, slots=True)
class PlatformHealth:
    """`lag_seconds`: how long the oldest due item of an active partner waits to be picked up."""

    lag_seconds: int
    due_count: int
    leased_count: int
    stuck_count: int
    database_bytes: int
    connection_count: int
    kinds: list[KindOfWork]
    sizes: list[PartnerSize]

    @property
    def is_keeping_up(self) -> bool:
        return self.lag_seconds <= TOLERATED_LAG_SECONDS and self.stuck_count == 0


def get_platform_health(actor: Actor, now: datetime) -> PlatformHealth:
    actor.require("partners.view")
    kinds = _kinds(now)
    waiting = [kind.oldest_due_at for kind in kinds if kind.oldest_due_at is not None]
    database_bytes, connections = _database()
    return PlatformHealth(
        lag_seconds=max(int((now - min(waiting)).total_seconds()), 0) if waiting else 0,
        due_count=sum(kind.due_count for kind in kinds),
        leased_count=sum(kind.leased_count for kind in kinds),
        stuck_count=_served().filter(attempts__gt=5, due_at__lte=now).count(),
        database_bytes=database_bytes,
        connection_count=connections,
        kinds=kinds,
        sizes=_sizes(),
    )


def _served() -> Any:
    """Suspended partners keep their items for the day they are resumed; nobody is late with those."""
    active = Partner.objects.filter(status=PartnerStatus.ACTIVE).values("schema_name")
    return WorkItem.objects.filter(schema__in=active)


def _kinds(now: datetime) -> list[KindOfWork]:
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    due = free & Q(due_at__lte=now)
    rows = (
        _served()
        .values("kind")
        .annotate(
            due=Count("id", filter=due),
            leased=Count("id", filter=~free),
            planned=Count("id", filter=free & Q(due_at__gt=now)),
            oldest=Min("due_at", filter=due),
        )
        .order_by(F("due").desc(), "kind")
    )
    return [KindOfWork(row["kind"], row["due"], row["leased"], row["planned"], row["oldest"]) for row in rows]


def _database() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()), "
            "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        )
        row = cursor.fetchone()
    return int(row[0]), int(row[1])


def _sizes() -> list[PartnerSize]:
    """The largest partners by what they take on disk; nothing of what they hold."""
    names = dict(list_partners().values_list("schema_name", "name"))
    with connection.cursor() as cursor:
        cursor.execute(_SCHEMA_SIZES, [list(names), LARGEST])
        return [PartnerSize(names[schema], int(size)) for schema, size in cursor.fetchall()]
