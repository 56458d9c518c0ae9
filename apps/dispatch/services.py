"""Scheduling, claiming fairly, finishing.

Algorithm of `claim_due`:
1. look up the first due items of each active partner (a suspended one keeps its items for the day it is resumed) by
   priority and age, through the index that has them in this order (no locks yet): a backlog costs nothing;
2. take the lowest ranks over all partners first, so that a partner with a million items and one with a single item
   both get their first one claimed; what a partner has under way counts as claimed already, or else whoever is due
   longest would get every place that becomes free;
3. lock those rows with SKIP LOCKED (another dispatcher may be at it), re-check that they are still due, lease them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from apps.core import clock
from apps.core.bulk import write
from apps.core.planes import require_tenant_schema
from apps.core.tasks import enqueue_in
from apps.dispatch.backlog import BrokerUnavailable, rooms
from apps.dispatch.models import WorkItem
from apps.dispatch.registry import by_queue, kinds, task_of

CHANNEL = "dispatch_due"
# The dispatcher looks at least so often, without being told.
POLL = timedelta(seconds=2)
LEASE = timedelta(seconds=settings.DISPATCH_LEASE_SECONDS)
# Who takes work without the dispatcher begins at once, and extends the lease then.
FIRST_LEASE = min(LEASE, timedelta(minutes=1))
_CLAIM = """
WITH busy AS (
    SELECT schema, count(*) AS items FROM public.dispatch_workitem WHERE lease_until > %(now)s GROUP BY schema
), ranked AS (
    SELECT first.id, first.due_at, COALESCE(busy.items, 0) + row_number() OVER (
        PARTITION BY partner.id ORDER BY first.priority, first.due_at, first.id) AS place
    FROM public.tenants_partner partner LEFT JOIN busy ON busy.schema = partner.schema_name CROSS JOIN LATERAL (
        SELECT id, priority, due_at FROM public.dispatch_workitem
        WHERE schema = partner.schema_name AND due_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)
          AND kind = ANY(%(kinds)s)
        ORDER BY priority, due_at, id LIMIT %(each)s
    ) first
    WHERE partner.status = 'active'
), chosen AS (
    SELECT item.id FROM public.dispatch_workitem item JOIN ranked USING (id)
    WHERE item.due_at <= %(now)s AND (item.lease_until IS NULL OR item.lease_until <= %(now)s)
    ORDER BY ranked.place, ranked.due_at, item.id
    LIMIT %(limit)s
    FOR UPDATE OF item SKIP LOCKED
)
UPDATE public.dispatch_workitem item
SET lease_until = %(lease_until)s, attempts = attempts + 1
FROM chosen WHERE item.id = chosen.id
RETURNING item.schema, item.kind, item.key
"""

_SCHEDULE = """
INSERT INTO public.dispatch_workitem AS item (schema, kind, key, due_at, priority, attempts)
VALUES (%s, %s, %s, %s, %s, 0)
ON CONFLICT (schema, kind, key) DO UPDATE SET
    due_at = CASE WHEN item.lease_until IS NULL THEN LEAST(item.due_at, EXCLUDED.due_at) ELSE item.due_at END,
    wanted_at = CASE WHEN item.lease_until IS NULL THEN NULL ELSE LEAST(item.wanted_at, EXCLUDED.due_at) END,
    priority = LEAST(item.priority, EXCLUDED.priority)
"""
_SCHEDULE_ALL = _SCHEDULE.replace("VALUES (%s, %s, %s, %s, %s, 0)", "SELECT %s, %s, unnest(%s::text[]), %s, %s, 0")
_EXTEND = "UPDATE public.dispatch_workitem SET lease_until = %s WHERE schema = %s AND kind = %s AND key = %s"
_END = "DELETE FROM public.dispatch_workitem WHERE schema = %s AND kind = %s AND key = %s AND wanted_at IS NULL"
_AGAIN = """
UPDATE public.dispatch_workitem SET due_at = wanted_at, wanted_at = NULL, lease_until = NULL, attempts = 0
WHERE schema = %s AND kind = %s AND key = %s AND wanted_at IS NOT NULL
"""
_RESCHEDULE = """
INSERT INTO public.dispatch_workitem AS item (schema, kind, key, due_at, priority, attempts)
VALUES (%s, %s, %s, %s, %s, 0)
ON CONFLICT (schema, kind, key) DO UPDATE SET
    due_at = LEAST(item.wanted_at, EXCLUDED.due_at), wanted_at = NULL, lease_until = NULL, attempts = 0,
    priority = EXCLUDED.priority
RETURNING due_at
"""


_TAKE = """
INSERT INTO public.dispatch_workitem AS item (schema, kind, key, due_at, priority, attempts, lease_until)
VALUES (%(schema)s, %(kind)s, %(key)s, %(now)s, %(priority)s, 1, %(until)s)
ON CONFLICT (schema, kind, key) DO UPDATE SET
    wanted_at = CASE WHEN item.lease_until > %(now)s THEN LEAST(item.wanted_at, EXCLUDED.due_at) END,
    lease_until = CASE WHEN item.lease_until > %(now)s THEN item.lease_until ELSE EXCLUDED.lease_until END,
    due_at = CASE WHEN item.lease_until > %(now)s THEN item.due_at ELSE LEAST(item.due_at, EXCLUDED.due_at) END,
    priority = LEAST(item.priority, EXCLUDED.priority)
RETURNING wanted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    schema: str
    kind: str
    key: str


def schedule(*, kind: str, key: str, due_at: datetime, priority: int = 5) -> None:
    """This function will make sure the work happens at `due_at` or sooner, in the current partner's schema.

    An item that is due earlier stays as it is. While an attempt runs, the wish is kept and honored when it ends: a
    change that arrives during a run is never lost.
    """
    write(_SCHEDULE, [require_tenant_schema(), kind, key, due_at, priority])
    _wake(due_at)


def _wake(due_at: datetime) -> None:
    """What is not due soon, the dispatcher finds in time by itself."""
    if due_at <= clock.now() + POLL:
        write("SELECT pg_notify(%s, '')", [CHANNEL])


def schedule_all(*, kind: str, keys: list[str], due_at: datetime, priority: int = 5) -> None:
    """Like `schedule`, for many keys at once; a key that is given twice is an error."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHEDULE_ALL, [require_tenant_schema(), kind, sorted(keys), due_at, priority])
    _wake(due_at)


def reschedule(*, kind: str, key: str, due_at: datetime, priority: int = 5) -> None:
    """This function will end the current attempt and set the next one at `due_at`, or sooner if wanted meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_RESCHEDULE, [require_tenant_schema(), kind, key, due_at, priority])
        # Sooner than that where it was wanted meanwhile.
        (due_at,) = cursor.fetchone()
    _wake(due_at)


def take(*, kind: str, key: str, now: datetime, priority: int = 5) -> bool:
    """This function will lease the work to the caller, who goes on with it when the transaction is committed.

    False while somebody else is at it: then the work is wanted again, like `schedule`.
    """
    values: dict[str, Any] = {
        "schema": require_tenant_schema(), "kind": kind, "key": key, "priority": priority, "now": now,
        "until": now + FIRST_LEASE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        return bool(cursor.fetchone()[0])


def complete(*, kind: str, key: str) -> None:
    """This function will end the work for good, unless it was wanted again while the attempt ran."""
    item = [require_tenant_schema(), kind, key]
    with connection.cursor() as cursor:
        cursor.execute(_END, item)
        if not cursor.rowcount:
            # Not in one statement with the deletion: that would not see a wish for which the deletion had to wait.
            cursor.execute(_AGAIN, item)
            if cursor.rowcount:
                # Who asked meanwhile was told that somebody is at it: nobody else wakes the dispatcher.
                _wake(clock.now())


def cancel(*, kind: str, key: str) -> None:
    """This function will drop the work, whatever was wanted."""
    WorkItem.objects.filter(schema=require_tenant_schema(), kind=kind, key=key).delete()


def extend_lease(*, kind: str, key: str, now: datetime) -> None:
    write(_EXTEND, [now + LEASE, require_tenant_schema(), kind, key])


def claim_due(
    *, now: datetime, limit: int = 100, only: Sequence[str] | None = None, each: int = 1
) -> list[ClaimedItem]:
    """This function will lease up to `limit` due items, of these kinds only, fairly across partners, and return them.

    At first it looks at the first `each` of every partner: where none has as many, that was all.
    """
    wanted = kinds() if only is None else list(only)
    values: dict[str, Any] = {"now": now, "kinds": wanted, "lease_until": now + LEASE}
    claimed: list[ClaimedItem] = []
    with transaction.atomic(), connection.cursor() as cursor:
        # The first of every partner; where that is not enough, whatever is left, even if one partner holds it all.
        for most in (each, limit):
            cursor.execute(_CLAIM, {**values, "each": most, "limit": limit - len(claimed)})
            found = [ClaimedItem(*row) for row in cursor.fetchall()]
            claimed += found
            of_partners = Counter(item.schema for item in found)
            if len(claimed) >= limit or max(of_partners.values(), default=0) < most:
                break
    return claimed


def dispatch_due(*, now: datetime, limit: int = 100) -> int:
    """This function will claim what is due and hand it to the workers; returns how many items.

    No more than the workers will soon take: whoever comes next must not wait behind all that one partner has due.
    Raises BrokerUnavailable; what could not be handed over is due again at once.
    """
    places = {queue: min(limit, free) for queue, free in rooms(by_queue()).items()}
    if len(set(places.values())) == 1:
        # Nobody is behind: one question for all kinds.
        return _hand_over(claim_due(now=now, limit=min(places.values()), each=2)) if all(places.values()) else 0
    return sum(
        _hand_over(claim_due(now=now, limit=free, only=by_queue()[queue]))
        for queue, free in sorted(places.items())
        if free
    )


def _hand_over(claimed: Sequence[ClaimedItem]) -> int:
    for number, item in enumerate(claimed):
        try:
            enqueue_in(item.schema, task_of(item.kind), key=item.key)
        except OperationalError as error:
            _give_back(claimed[number:])
            raise BrokerUnavailable(str(error)) from error
    return len(claimed)


def _give_back(items: Sequence[ClaimedItem]) -> None:
    for item in items:
        WorkItem.objects.filter(schema=item.schema, kind=item.kind, key=item.key).update(lease_until=None)
