"""Many workers are sent to one flow at once: one at a time carries it out, and everything is there exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection as database

from apps.core.clock import moved_clock
from apps.core.planes import tenant_plane
from apps.dispatch.models import WorkItem
from apps.flows.services.integrations import FLOW_DUE_KIND
from apps.sync.models import SyncRun
from apps.sync.services import run_due_flow
from tests.chaos.conftest import MakeStory
from tests.chaos.story import SCHEMA, assert_exactly_once
from tests.chaos.workers import Workers

pytestmark = [pytest.mark.chaos, pytest.mark.django_db, pytest.mark.enable_socket]

WORKERS = 12


def all_at_once(workers: Workers, now: datetime) -> int:
    due = WorkItem.objects.filter(schema=SCHEMA, kind=FLOW_DUE_KIND, due_at__lte=now)
    for key in due.values_list("key", flat=True):
        barrier = Barrier(WORKERS)
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda _, key=key, barrier=barrier: run(UUID(key), now, barrier), range(WORKERS)))
    return 0


def run(flow_id: UUID, now: datetime, barrier: Barrier) -> None:
    try:
        with tenant_plane(SCHEMA), moved_clock(now):
            barrier.wait(timeout=60)
            run_due_flow(flow_id=flow_id, now=now)
    finally:
        database.close()


def test_a_flow_is_carried_out_once_however_many_are_sent(make_story: MakeStory) -> None:
    story = make_story()

    story.play(dict.fromkeys(("opportunity-to-project", "time-to-invoice", "payment-status"), all_at_once))

    assert_exactly_once(story)
    assert not SyncRun.objects.filter(environment=story.chain.environment, attempts__gt=1).exists()
