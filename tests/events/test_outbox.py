"""A fact reaches each consumer exactly once, in order, and is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from apps.events import registry
from apps.events.models import InboxEvent, OutboxEvent
from apps.events.services import UnknownEvent, receive, record_event, relay_outbox
from apps.tenants.models import Partner


@pytest.fixture
def seen() -> Iterator[list[str]]:
    heard: list[str] = []
    registry.register_event("tests.thing.happened", "A thing happened in a test.")
    registry.register_consumer("tests.listener", "tests.thing.happened", lambda event: heard.append(event.subject_key))
    yield heard
    registry._consumers.pop("tests.thing.happened")
    registry._types.pop("tests.thing.happened")


def happen(key: str, now: datetime) -> None:
    record_event(name="tests.thing.happened", subject_key=key, payload={}, now=now)


def test_consumers_hear_events_in_order(partner: Partner, now: datetime, seen: list[str]) -> None:
    happen("thing:1", now)
    happen("thing:2", now)

    assert relay_outbox(now=now) == 2
    assert seen == ["thing:1", "thing:2"]


def test_relaying_again_changes_nothing(partner: Partner, now: datetime, seen: list[str]) -> None:
    happen("thing:1", now)
    relay_outbox(now=now)
    OutboxEvent.objects.update(relayed_at=None)

    relay_outbox(now=now)

    assert seen == ["thing:1"]


def test_a_consumer_that_fails_is_tried_again(partner: Partner, now: datetime, seen: list[str]) -> None:
    def fail(event: OutboxEvent) -> None:
        raise RuntimeError("not today")

    registry.register_consumer("tests.failing", "tests.thing.happened", fail)
    happen("thing:1", now)

    with pytest.raises(RuntimeError):
        relay_outbox(now=now)

    assert OutboxEvent.objects.get().relayed_at is None
    registry._consumers["tests.thing.happened"].pop("tests.failing")
    assert relay_outbox(now=now) == 1
    assert seen == ["thing:1"]


def test_facts_nobody_hears_do_not_stand_in_the_way(
    partner: Partner, now: datetime, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.events.services.RELAY_BATCH", 3)
    registry.register_event("tests.thing.noted", "Nobody listens to this one.")
    for number in range(8):
        record_event(name="tests.thing.noted", subject_key=f"note:{number}", payload={}, now=now)
    happen("thing:1", now)

    assert relay_outbox(now=now) == 9
    assert seen == ["thing:1"]
    assert not OutboxEvent.objects.filter(relayed_at=None).exists()
    registry._types.pop("tests.thing.noted")


def test_a_full_batch_asks_for_the_next_one(
    partner: Partner, now: datetime, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr("apps.events.services.RELAY_BATCH", 2)
    monkeypatch.setattr("apps.events.services.enqueue", woken.append)
    for number in range(3):
        happen(f"thing:{number}", now)
    woken.clear()

    counts = [relay_outbox(now=now), len(woken), relay_outbox(now=now), len(woken)]

    assert counts == [2, 1, 1, 1]
    assert seen == ["thing:0", "thing:1", "thing:2"]


def test_an_event_nobody_declared_is_refused(partner: Partner, now: datetime) -> None:
    with pytest.raises(UnknownEvent):
        record_event(name="tests.typo", subject_key="x", payload={}, now=now)


def test_a_delivery_is_taken_in_once(partner: Partner, now: datetime) -> None:
    first = receive(source="hubspot", external_id="7", payload={"a": 1}, now=now)
    second = receive(source="hubspot", external_id="7", payload={"a": 2}, now=now)

    assert first is not None
    assert second is None
    assert InboxEvent.objects.get().payload == {"a": 1}
