"""Intents found sent whose outcome nobody knows: asked of the vendor the way the sink declares, never repeated blindly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apps.canonical.references import by_record
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.manifest import Resolve
from apps.connectors.sdk.types import SourceRecord
from apps.core import clock
from apps.sync.engine.claim import effects
from apps.sync.engine.confirm import Answer, confirm
from apps.sync.engine.consequences import note_failures
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.failures import FailedRecord
from apps.sync.engine.intents import Intent, sent_intents
from apps.sync.models import ErrorClass, IntentStatus, WriteIntent


def recover_sent(context: RunContext) -> None:
    """This function will settle every intent of the flow that was left as sent.

    A create found at the vendor is confirmed; one the vendor provably does not have is planned again; one it cannot
    tell about yet makes the run come back later; one it can never tell about waits for a person.
    """
    for intent in sent_intents(context.flow.pk):
        system = context.system_of(intent.connection_id)
        if not intent.is_create:
            _plan_again(context, intent, is_frozen=False)
        else:
            _recover_create(context, system, intent)


def _recover_create(context: RunContext, system: BoundSystem, intent: Intent) -> None:
    spec = system.manifest.sink(intent.object_name)
    if spec.resolve is Resolve.NONE:
        _park(context, system, intent)
        return
    assert intent.sent_at is not None  # noqa: S101 - set in the statement that makes it sent
    settled_at = intent.sent_at + timedelta(seconds=spec.settle_seconds)
    if spec.resolve is Resolve.LOOKUP_AFTER_SETTLE and clock.now() < settled_at:
        context.resume_at = min(settled_at, context.resume_at or settled_at)
        return
    found = _ask(system, intent)
    if found is not None:
        confirm(context, system, intent.object_name, [Answer(intent, found)])
    else:
        # A key the vendor remembers makes the same call harmless, but only the very same call.
        _plan_again(context, intent, is_frozen=spec.resolve is Resolve.IDEMPOTENCY_KEY)


def _ask(system: BoundSystem, intent: Intent) -> SourceRecord | None:
    sink = system.connector.sink(intent.object_name)
    known = by_record(system.connection.pk, [intent.record_id])
    reference = known.get((intent.record_id, system.manifest.sink(intent.object_name).stream))
    try:
        return sink.get(reference.external_id) if reference else sink.resolve(intent.key)
    except RecordRejected:
        return None


def _plan_again(context: RunContext, intent: Intent, *, is_frozen: bool) -> None:
    with effects(context):
        kept: dict[str, Any] = {} if is_frozen else {"sent_at": None, "payload": {}, "payload_hash": ""}
        WriteIntent.objects.filter(pk=intent.id).update(status=IntentStatus.PLANNED, **kept)


def _park(context: RunContext, system: BoundSystem, intent: Intent) -> None:
    message = (
        f"{system.manifest.name} did not confirm and cannot be asked whether it made the record. Look for it there: "
        "if it is missing, retry; if it is there, ignore this entry."
    )
    with effects(context) as now:
        WriteIntent.objects.filter(pk=intent.id).update(status=IntentStatus.UNCERTAIN)
        workspace = context.workspace()
        workspace.load([intent.record_id])
        state = workspace.find(intent.record_id)
        failure = FailedRecord(
            connection_id=system.connection.pk, direction="write", object_name=intent.object_name,
            record_id=intent.record_id, title=state.title if state else "", payload=intent.payload, is_payload_sent=True,
            problem=RecordProblem(ErrorClass.UNCERTAIN, message, code="unconfirmed"),
        )  # fmt: skip
        note_failures(context, [failure], now)
