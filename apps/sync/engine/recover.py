"""Intents found sent whose outcome nobody knows: asked of the vendor the way the sink declares, never repeated blindly."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from apps.canonical.references import Reference, by_record
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.manifest import Resolve, SinkSpec
from apps.connectors.sdk.types import Sink, SourceRecord
from apps.core import clock
from apps.sync.engine.beside import Callers
from apps.sync.engine.claim import effects
from apps.sync.engine.confirm import Answer, confirm
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.intents import Intent, sent_intents
from apps.sync.engine.strangers import Parked, park
from apps.sync.models import IntentStatus, WriteIntent

# What was told of so many, or in so many seconds, is taken over in one transaction: after a death in a large load there
# may be a thousand to ask about, and whoever asks may die as well.
TOGETHER, TOGETHER_SECONDS = 100, 1.0


def recover_sent(context: RunContext) -> None:
    """This function will settle every intent of the flow that was left as sent.

    A create found at the vendor is confirmed; one the vendor provably does not have is planned again; one it cannot
    tell about yet makes the run come back later; one it can never tell about waits for a person.
    """
    groups: dict[tuple[UUID, str], list[Intent]] = {}
    for intent in sent_intents(context.flow.pk):
        groups.setdefault((intent.connection_id, intent.object_name), []).append(intent)
    for (connection_id, object_name), intents in groups.items():
        system = context.system_of(connection_id)
        _plan_again(context, [intent for intent in intents if not intent.is_create], is_frozen=False)
        creates = [intent for intent in intents if intent.is_create]
        _recover_creates(context, system, system.manifest.sink(object_name), creates)


def _recover_creates(context: RunContext, system: BoundSystem, sink: SinkSpec, intents: list[Intent]) -> None:
    if sink.resolve is Resolve.NONE:
        for intent in intents:
            _park(context, system, intent)
        return
    settled = [intent for intent in intents if _is_settled(context, sink, intent)]
    while settled:
        asked = _settle(context, system, sink, settled[:TOGETHER])
        settled = settled[asked:]


def _is_settled(context: RunContext, sink: SinkSpec, intent: Intent) -> bool:
    """False where the vendor cannot tell yet: then the run comes back later."""
    assert intent.sent_at is not None  # noqa: S101 - set in the statement that makes it sent
    settled_at = intent.sent_at + timedelta(seconds=sink.settle_seconds)
    if sink.resolve is Resolve.LOOKUP_AFTER_SETTLE and clock.now() < settled_at:
        context.resume_at = min(settled_at, context.resume_at or settled_at)
        return False
    return True


def _settle(context: RunContext, system: BoundSystem, sink: SinkSpec, intents: list[Intent]) -> int:
    """Asks about as many of them as time allows, from the first on; returns how many.

    Raises the vendor's first error once what it told about the others is kept.
    """
    answers, errors = _ask_in_time(system, sink, intents)
    found = [Answer(intent, record) for intent, record in answers if record is not None]
    if found:
        confirm(context, system, sink.name, found)
    # A key the vendor remembers makes the same call harmless, but only the very same call.
    missing = [intent for intent, record in answers if record is None]
    _plan_again(context, missing, is_frozen=sink.resolve is Resolve.IDEMPOTENCY_KEY)
    if errors:
        raise errors[0]
    return len(answers)


def _ask_in_time(
    system: BoundSystem, spec: SinkSpec, intents: list[Intent]
) -> tuple[list[tuple[Intent, SourceRecord | None]], list[Exception]]:
    references = by_record(system.connection.pk, [intent.record_id for intent in intents])
    sinks = [talk.sink(spec.name) for talk in system.conversations(len(intents))]
    answers: list[tuple[Intent, SourceRecord | None]] = []
    errors: list[Exception] = []
    started = time.monotonic()
    with Callers(threads=len(sinks) if len(sinks) > 1 else 0) as callers:
        for start in range(0, len(intents), len(sinks)):
            asked = [
                (intent, callers.start(partial(_ask, sink, intent, references.get((intent.record_id, spec.stream)))))
                for sink, intent in zip(sinks, intents[start:], strict=False)
            ]
            for intent, asking in asked:
                try:
                    answers.append((intent, asking.result()))
                except Exception as error:  # noqa: BLE001 - raised once the other answers are kept
                    errors.append(error)
            if errors or time.monotonic() - started >= TOGETHER_SECONDS:
                break
    return answers, errors


def _ask(sink: Sink, intent: Intent, reference: Reference | None) -> SourceRecord | None:
    try:
        return sink.get(reference.external_id) if reference else sink.resolve(intent.key)
    except RecordRejected:
        return None


def _plan_again(context: RunContext, intents: list[Intent], *, is_frozen: bool) -> None:
    if not intents:
        return
    with effects(context):
        kept: dict[str, Any] = {} if is_frozen else {"sent_at": None, "payload": {}, "payload_hash": ""}
        ids = [intent.id for intent in intents]
        WriteIntent.objects.filter(pk__in=ids).update(status=IntentStatus.PLANNED, **kept)


def _park(context: RunContext, system: BoundSystem, intent: Intent) -> None:
    message = (
        f"{system.manifest.name} did not confirm and cannot be asked whether it made the record. Look for it there: "
        "if it is missing, retry; if it is there, ignore this entry."
    )
    with effects(context) as now:
        park(context, system, [Parked(intent, message, "unconfirmed")], now)
