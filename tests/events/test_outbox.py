"""A fact reaches each consumer exactly once, in order, and is never lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from django.db.models import QuerySet

from apps.events import registry
from apps.events.models import ConsumedEvent, InboxEvent, OutboxEvent
from apps.events.relaying import pause_after, relay_outbox, retry_failures
from apps.events.services import UnknownEvent, receive, record_event
from apps.tenants.models import Partner


@pytest.fixture
def seen() -> Iterator[list[str]]:
    heard: list[str] = []
    registry.register_event("tests.thing.happened", "A thing happened in a test.")
    registry.register_consumer("tests.listener", "tests.thing.happened", lambda event: heard.append(event.subject_key))
    yield heard
    registry._consumers.pop("tests.thing.happened")
    registry._types.pop("tests.thing.happened")


def failures() -> QuerySet[ConsumedEvent]:
    return ConsumedEvent.objects.exclude(next_at=None)


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


def test_a_consumer_that_fails_is_asked_again_and_holds_nobody_up(
    partner: Partner, now: datetime, seen: list[str]
) -> None:
    answers = iter([RuntimeError("not today"), RuntimeError("nor now"), None])
    heard: list[str] = []

    def hesitate(event: OutboxEvent) -> None:
        heard.append(event.subject_key)
        answer = next(answers) if event.subject_key == "thing:1" else None
        if answer:
            ConsumedEvent.objects.create(consumer="written by the failing one", event_id=event.pk, consumed_at=now)
            raise answer

    registry.register_consumer("tests.hesitant", "tests.thing.happened", hesitate)
    happen("thing:1", now)
    happen("thing:2", now)

    assert relay_outbox(now=now) == 2
    assert (seen, heard) == (["thing:1", "thing:2"], ["thing:1", "thing:2"])
    failure = failures().get()
    assert (failure.consumer, failure.attempts, failure.next_at) == ("tests.hesitant", 1, now + timedelta(seconds=30))
    assert not ConsumedEvent.objects.filter(consumer="written by the failing one").exists()
    assert retry_failures(now=now) == 0
    assert retry_failures(now=failure.next_at) == 0
    assert failures().get().next_at == failure.next_at + timedelta(minutes=1)
    assert retry_failures(now=failure.next_at + timedelta(minutes=1)) == 1
    assert failures().count() == 0
    assert heard == ["thing:1", "thing:2", "thing:1", "thing:1"]
    assert seen == ["thing:1", "thing:2"]


def test_pauses_grow_to_six_hours() -> None:
    assert [pause_after(n).total_seconds() for n in (1, 2, 3, 10, 11, 500)] == [30, 60, 120, 15360, 21600, 21600]


def test_a_listener_hears_what_it_wants_many_at_a_time(partner: Partner, now: datetime, seen: list[str]) -> None:
    wanted: set[str] = set()
    batches: list[list[str]] = []

    def handle(events: Sequence[OutboxEvent], at: datetime) -> None:
        batches.append([event.subject_key for event in events])

    registry.register_listener("tests.many", lambda: wanted, handle)
    happen("thing:1", now)
    relay_outbox(now=now)
    wanted.add("tests.thing.happened")
    happen("thing:2", now)
    happen("thing:3", now)
    relay_outbox(now=now)
    OutboxEvent.objects.update(relayed_at=None)
    relay_outbox(now=now)
    registry._listeners.pop("tests.many")

    # The last relaying names the first event too, which it had not heard; the others were consumed before.
    assert batches == [["thing:2", "thing:3"], ["thing:1"]]


def test_a_failure_of_what_is_gone_is_forgotten(partner: Partner, now: datetime, seen: list[str]) -> None:
    happen("thing:1", now)
    event = OutboxEvent.objects.get()
    ConsumedEvent.objects.create(consumer="tests.removed", event_id=event.pk, attempts=1, error="x", next_at=now)

    assert retry_failures(now=now) == 0
    assert failures().count() == 0


def test_facts_nobody_hears_do_not_stand_in_the_way(
    partner: Partner, now: datetime, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.events.relaying.RELAY_BATCH", 3)
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
    monkeypatch.setattr("apps.events.relaying.RELAY_BATCH", 2)
    monkeypatch.setattr("apps.events.relaying.enqueue", woken.append)
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
