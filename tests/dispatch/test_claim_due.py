"""Due work is claimed once, fairly, and never lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.core.planes import NoPlane, public_plane, tenant_plane
from apps.dispatch.models import WorkItem
from apps.dispatch.registry import register_kind
from apps.dispatch.services import LEASE, claim_due, complete, reschedule, schedule, take
from apps.tenants.models import Partner, PartnerStatus

register_kind("tests.kind", "events.relay_outbox")
SECOND = timedelta(seconds=1)


def claimed(now: datetime, limit: int = 10) -> list[tuple[str, str]]:
    with public_plane():
        return [(item.schema, item.key) for item in claim_due(now=now, limit=limit)]


def test_what_is_due_is_claimed_once(partner: Partner, now: datetime) -> None:
    schedule(kind="tests.kind", key="a", due_at=now)
    schedule(kind="tests.kind", key="later", due_at=now + SECOND)

    assert claimed(now) == [("p_acme", "a")]
    assert claimed(now) == []


def test_a_lease_that_passes_makes_the_item_due_again(partner: Partner, now: datetime) -> None:
    schedule(kind="tests.kind", key="a", due_at=now)
    claimed(now)

    assert claimed(now + LEASE - SECOND) == []
    assert claimed(now + LEASE) == [("p_acme", "a")]
    assert WorkItem.objects.get().attempts == 2


def test_a_busy_partner_does_not_push_another_out(partner: Partner, other_partner: Partner, now: datetime) -> None:
    for number in range(20):
        schedule(kind="tests.kind", key=str(number), due_at=now - SECOND * 60)
    with tenant_plane(other_partner.schema_name):
        schedule(kind="tests.kind", key="single", due_at=now)

    assert ("p_globex", "single") in claimed(now, limit=2)


def test_lower_priority_numbers_go_first(partner: Partner, now: datetime) -> None:
    schedule(kind="tests.kind", key="poll", due_at=now - SECOND, priority=5)
    schedule(kind="tests.kind", key="webhook", due_at=now, priority=1)

    assert claimed(now, limit=1) == [("p_acme", "webhook")]


def test_a_suspended_partner_waits(partner: Partner, now: datetime) -> None:
    schedule(kind="tests.kind", key="a", due_at=now)
    with public_plane():
        Partner.objects.filter(pk=partner.pk).update(status=PartnerStatus.SUSPENDED)

    assert claimed(now) == []
    with public_plane():
        Partner.objects.filter(pk=partner.pk).update(status=PartnerStatus.ACTIVE)
    assert claimed(now) == [("p_acme", "a")]


def test_scheduling_again_keeps_the_sooner_time(partner: Partner, now: datetime) -> None:
    schedule(kind="tests.kind", key="a", due_at=now + SECOND * 5)
    schedule(kind="tests.kind", key="a", due_at=now + SECOND * 9)

    assert WorkItem.objects.get().due_at == now + SECOND * 5


def test_a_wish_during_the_attempt_is_kept_until_it_ends(partner: Partner, now: datetime) -> None:
    schedule(kind="tests.kind", key="a", due_at=now)
    claimed(now)
    schedule(kind="tests.kind", key="a", due_at=now + SECOND)

    assert claimed(now + SECOND * 2) == []
    reschedule(kind="tests.kind", key="a", due_at=now + SECOND * 300)

    assert claimed(now + SECOND * 2) == [("p_acme", "a")]


def test_completing_keeps_a_wish_too(partner: Partner, now: datetime) -> None:
    schedule(kind="tests.kind", key="a", due_at=now)
    claimed(now)
    schedule(kind="tests.kind", key="a", due_at=now)
    complete(kind="tests.kind", key="a")

    assert claimed(now) == [("p_acme", "a")]
    complete(kind="tests.kind", key="a")
    assert WorkItem.objects.count() == 0


def test_public_has_no_work_of_its_own(db: None, now: datetime) -> None:
    with pytest.raises(NoPlane):
        schedule(kind="tests.kind", key="a", due_at=now)


def test_one_partner_may_fill_a_claim(partner: Partner, other_partner: Partner, now: datetime) -> None:
    for number in range(6):
        schedule(kind="tests.kind", key=str(number), due_at=now - SECOND * (60 - number))
    with tenant_plane(other_partner.schema_name):
        schedule(kind="tests.kind", key="single", due_at=now)

    assert sorted(claimed(now, limit=5)) == [
        ("p_acme", "0"), ("p_acme", "1"), ("p_acme", "2"), ("p_acme", "3"), ("p_globex", "single"),
    ]  # fmt: skip


def test_what_was_wanted_meanwhile_wakes_the_dispatcher_when_the_attempt_ends(partner: Partner, now: datetime) -> None:
    told: list[str] = []

    def note(send: Any, statement: str, *call: Any) -> Any:
        told.append(statement)
        return send(statement, *call)

    def notices() -> int:
        told.clear()
        with connection.execute_wrapper(note):
            complete(kind="tests.wake", key="1")
        return len([statement for statement in told if "pg_notify" in statement])

    take(kind="tests.wake", key="1", now=now, priority=3)
    schedule(kind="tests.wake", key="1", due_at=now)

    assert notices() == 1
    assert notices() == 0
    assert not WorkItem.objects.filter(kind="tests.wake").exists()
