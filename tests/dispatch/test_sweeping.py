"""No event waits for a message that the broker lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from apps.core.planes import public_plane
from apps.dispatch import sweeping
from apps.dispatch.models import WorkItem
from apps.events import registry
from apps.events.models import ConsumedEvent, OutboxEvent
from apps.events.services import record_event
from apps.tenants.models import Partner


@pytest.fixture
def seen() -> Iterator[list[str]]:
    heard: list[str] = []
    registry.register_event("tests.thing.swept", "A thing happened in a test.")
    registry.register_consumer("tests.sweeper", "tests.thing.swept", lambda event: heard.append(event.subject_key))
    yield heard
    registry._consumers.pop("tests.thing.swept")
    registry._types.pop("tests.thing.swept")


def item() -> WorkItem:
    return WorkItem.objects.get(schema="p_acme", kind=sweeping.KIND, key=sweeping.KEY)


def test_it_works(partner: Partner, now: datetime, seen: list[str]) -> None:
    record_event(name="tests.thing.swept", subject_key="thing:1", payload={}, now=now)
    assert item().due_at == now + timedelta(minutes=1)

    assert sweeping.sweep(now=item().due_at) == 1

    assert seen == ["thing:1"]
    assert item().due_at == now + timedelta(minutes=2)


def test_one_item_for_all_events(partner: Partner, now: datetime, seen: list[str]) -> None:
    for number in range(3):
        at = now + timedelta(minutes=number)
        record_event(name="tests.thing.swept", subject_key=f"thing:{number}", payload={}, now=at)

    assert item().due_at == now + timedelta(minutes=1)


@pytest.mark.parametrize(("quiet", "pause"), [(0, 1), (20, 5), (300, 10)])
def test_it_comes_seldom_when_it_is_quiet(
    partner: Partner, now: datetime, seen: list[str], quiet: int, pause: int
) -> None:
    record_event(name="tests.thing.swept", subject_key="thing:1", payload={}, now=now)
    later = now + timedelta(minutes=quiet)

    sweeping.sweep(now=later)

    assert item().due_at == later + timedelta(minutes=pause)


def test_it_comes_when_a_consumer_is_to_be_asked_again(partner: Partner, now: datetime, seen: list[str]) -> None:
    record_event(name="tests.thing.swept", subject_key="thing:1", payload={}, now=now)
    event = OutboxEvent.objects.get()
    ConsumedEvent.objects.create(
        consumer="tests.another", event_id=event.pk, attempts=1, error="x", next_at=now + timedelta(seconds=20)
    )

    sweeping.sweep(now=now)

    assert item().due_at == now + timedelta(seconds=20)


def test_what_nobody_hears_needs_no_sweeper(partner: Partner, now: datetime) -> None:
    registry.register_event("tests.thing.unheard", "Nobody listens.")
    record_event(name="tests.thing.unheard", subject_key="thing:1", payload={}, now=now)
    registry._types.pop("tests.thing.unheard")

    assert WorkItem.objects.filter(kind=sweeping.KIND).count() == 0


def test_the_platform_itself_has_no_sweeper(db: None, now: datetime) -> None:
    with public_plane():
        sweeping.keep_swept(now)

    assert WorkItem.objects.count() == 0
