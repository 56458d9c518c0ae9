"""The outbox's safety net: a standing item of work per partner, so that no event waits for a message the broker lost.

The item is written in the transaction of the partner's first event and never goes away: the sweeper puts it off, soon
while events come in, seldom when it is quiet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django_tenants.utils import get_public_schema_name

from apps.core.planes import current_schema
from apps.dispatch.services import reschedule
from apps.events.clearing import clear_away
from apps.events.models import ConsumedEvent, OutboxEvent
from apps.events.relaying import relay_outbox, retry_failures

KIND, KEY = "dispatch.sweep", "outbox"
PRIORITY = 3
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=10)
# DO NOTHING: transactions that record events must not queue for one row's lock.
_ENSURE = """
INSERT INTO public.dispatch_workitem (schema, kind, key, due_at, priority, attempts) VALUES (%s, %s, %s, %s, %s, 0)
ON CONFLICT (schema, kind, key) DO NOTHING
"""
_swept: set[str] = set()  # partners whose item is known to be committed: it stays for good


def keep_swept(now: datetime) -> None:
    """This function will make sure, in the caller's transaction, that a sweeper comes by."""
    schema = current_schema()
    if schema in _swept or schema == get_public_schema_name():
        return
    with connection.cursor() as cursor:
        cursor.execute(_ENSURE, [schema, KIND, KEY, now + SHORTEST, PRIORITY])
    transaction.on_commit(lambda: _swept.add(schema))


def sweep(*, now: datetime) -> int:
    """This function will relay what waits, ask failed consumers again and clear away what is old; how many it relayed."""
    relayed = relay_outbox(now=now)
    retry_failures(now=now)
    clear_away(now=now)
    reschedule(kind=KIND, key=KEY, due_at=now + _pause(now), priority=PRIORITY)
    return relayed


def _pause(now: datetime) -> timedelta:
    """A quarter of the time since the last event, within bounds; sooner where a consumer is to be asked again."""
    last = OutboxEvent.objects.order_by("-id").values_list("occurred_at", flat=True).first()
    pause = min(max((now - last) / 4, SHORTEST), LONGEST) if last else LONGEST
    if OutboxEvent.objects.filter(relayed_at=None).exists():
        return SHORTEST
    next_at = ConsumedEvent.objects.exclude(next_at=None).order_by("next_at").values_list("next_at", flat=True).first()
    return min(pause, max(next_at - now, timedelta(seconds=5))) if next_at else pause
