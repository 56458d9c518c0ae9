"""What was handed on long ago goes; what is owed, waits or is young stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from apps.events import registry
from apps.events.clearing import clear_away
from apps.events.models import ConsumedEvent, IdempotencyRecord, InboxEvent, OutboxEvent
from apps.events.relaying import relay_outbox
from apps.events.services import receive, record_event
from apps.tenants.models import Partner


@pytest.fixture
def today() -> datetime:
    """Ids carry the time of the machine that makes them."""
    return datetime.now(UTC)


@pytest.fixture
def consumed(partner: Partner) -> Iterator[None]:
    def consume(event: OutboxEvent) -> None:
        if event.subject_key == "thing:broken":
            raise RuntimeError("not today")

    registry.register_event("tests.thing.cleared", "A thing happened in a test.")
    registry.register_consumer("tests.clearing", "tests.thing.cleared", consume)
    yield
    registry._consumers.pop("tests.thing.cleared")
    registry._types.pop("tests.thing.cleared")


def happen(subject: str, at: datetime) -> OutboxEvent:
    return record_event(name="tests.thing.cleared", subject_key=subject, payload={}, now=at)


def test_what_everybody_consumed_goes_after_a_month(consumed: None, today: datetime) -> None:
    happen("thing:1", today)
    owed = happen("thing:broken", today)
    relay_outbox(now=today)
    waiting = happen("thing:2", today)

    assert clear_away(now=today + timedelta(days=29)) == 0
    assert clear_away(now=today + timedelta(days=31)) == 1

    assert set(OutboxEvent.objects.values_list("pk", flat=True)) == {owed.pk, waiting.pk}
    assert ConsumedEvent.objects.get().event_id == owed.pk


def test_handled_deliveries_go_after_a_month(partner: Partner, today: datetime) -> None:
    for external_id in ("handled", "not handled"):
        receive(source="hubspot", external_id=external_id, payload={}, now=today)
    InboxEvent.objects.filter(external_id="handled").update(handled_at=today)

    assert clear_away(now=today + timedelta(days=29)) == 0
    assert clear_away(now=today + timedelta(days=31)) == 1

    assert InboxEvent.objects.get().external_id == "not handled"


def test_answers_go_after_a_day(partner: Partner, today: datetime) -> None:
    for value, age in (("old", 25), ("young", 23)):
        at = today - timedelta(hours=age)
        IdempotencyRecord.objects.create(key_owner="key:1", value=value, request_hash="h", created_at=at)

    assert clear_away(now=today) == 1

    assert IdempotencyRecord.objects.get().value == "young"
