"""One partner's backlog, however long, lets another's single item pass: counted in messages, not in seconds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from kombu.exceptions import OperationalError

from apps.core.planes import public_plane, tenant_plane
from apps.dispatch import services
from apps.dispatch.backlog import MOST_AHEAD, BrokerUnavailable
from apps.dispatch.models import WorkItem
from apps.dispatch.registry import by_queue, register_kind
from apps.dispatch.services import complete, dispatch_due, schedule
from apps.tenants.models import Partner

register_kind("tests.kind", "events.relay_outbox")
BACKLOG = 5_000
_FILL = """
INSERT INTO public.dispatch_workitem (schema, kind, key, due_at, priority, attempts)
SELECT %s, 'tests.kind', n::text, %s, 5, 0 FROM generate_series(1, %s) AS n
"""


class Queue:
    """A broker's queue and its one worker, who takes a message at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting: list[tuple[str, str]] = []
        self.taken: list[tuple[str, str]] = []
        monkeypatch.setattr(services, "enqueue_in", lambda schema, task, key: self.waiting.append((schema, key)))
        monkeypatch.setattr(
            services, "rooms", lambda queues: dict.fromkeys(queues, max(0, MOST_AHEAD - len(self.waiting)))
        )

    def work(self) -> None:
        schema, key = self.waiting.pop(0)
        self.taken.append((schema, key))
        with tenant_plane(schema):
            complete(kind="tests.kind", key=key)


def dispatch(now: datetime) -> int:
    with public_plane():
        return dispatch_due(now=now)


@pytest.fixture
def queue(partner: Partner, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Queue:
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [partner.schema_name, now - timedelta(hours=1), BACKLOG])
    return Queue(monkeypatch)


def test_no_more_is_claimed_than_workers_soon_take(queue: Queue, now: datetime) -> None:
    while dispatch(now):
        pass

    assert len(queue.waiting) == MOST_AHEAD
    assert WorkItem.objects.exclude(lease_until=None).count() == MOST_AHEAD


def test_a_single_item_waits_for_little_of_a_long_backlog(queue: Queue, other_partner: Partner, now: datetime) -> None:
    for _ in range(200):
        dispatch(now)
        queue.work()
    with tenant_plane(other_partner.schema_name):
        schedule(kind="tests.kind", key="single", due_at=now, priority=2)

    before = len(queue.taken)
    while ("p_globex", "single") not in queue.taken:
        dispatch(now)
        queue.work()

    assert len(queue.taken) - before <= MOST_AHEAD + 1


def test_what_the_broker_refuses_is_due_again_at_once(
    queue: Queue, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[str] = []

    def refuse(schema: str, task: str, key: str) -> None:
        if len(handed) == 3:
            raise OperationalError("gone")
        handed.append(key)

    monkeypatch.setattr(services, "enqueue_in", refuse)
    with pytest.raises(BrokerUnavailable):
        dispatch(now)

    assert WorkItem.objects.exclude(lease_until=None).count() == 3


def test_every_kind_of_work_has_its_queue() -> None:
    queues = by_queue()

    assert "sync.flow" in queues["sync"]
    assert {"tests.kind", "connectors.check"} <= set(queues["small"])
