"""The answer to a write: cross-reference with the read-back, log with latency, usage, what follows; one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.canonical.references import Reference, by_record, save_references
from apps.canonical.services import absorb_record
from apps.canonical.workspace import State, Workspace
from apps.connectors.sdk.entities import InvalidRecord
from apps.connectors.sdk.errors import ConnectorError, RecordRejected
from apps.connectors.sdk.types import SourceRecord
from apps.sync.engine.claim import effects
from apps.sync.engine.consequences import draw_consequences, note_failures, settle_plan
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.crashpoints import crash_here
from apps.sync.engine.errors import RecordProblem, classify
from apps.sync.engine.events import PROJECT_PROVISIONED, record_facts
from apps.sync.engine.failures import FailedRecord, resolve_writing
from apps.sync.engine.intents import Intent, confirm_intents, reject_intents
from apps.sync.engine.journal import Entry
from apps.sync.engine.listening import tell_flows
from apps.sync.engine.mapping import MappedRecord, SourceMapping, stream_mapping
from apps.sync.engine.merging import edits
from apps.sync.engine.payload import SinkMapping
from apps.sync.engine.plan import Planner
from apps.sync.engine.strangers import CODE, Parked, park, sort_answers
from apps.sync.engine.usage import meter_writes
from apps.sync.models import RecordAction


@dataclass(slots=True)
class Answer:
    intent: Intent
    record: SourceRecord | None
    error: Exception | None = None


def confirm(context: RunContext, system: BoundSystem, sink: str, answers: list[Answer]) -> None:
    """This function will take the vendor's answers over in a transaction of their own."""
    with effects(context) as now:
        take_answers(context, system, sink, answers, now)
        crash_here("confirm_written")
    crash_here("confirmed")


def take_answers(context: RunContext, system: BoundSystem, sink: str, answers: list[Answer], now: datetime) -> None:
    """An answer that is neither record nor refusal leaves its intent `sent`."""
    done = [answer for answer in answers if answer.record is not None and answer.error is None]
    refused = [answer for answer in answers if isinstance(answer.error, RecordRejected)]
    _Confirmation(context, system, sink, now).take(done)
    _reject(context, system, refused, now)


def _reject(context: RunContext, system: BoundSystem, answers: list[Answer], now: datetime) -> None:
    if not answers:
        return
    reject_intents([answer.intent for answer in answers], now)
    workspace = context.workspace()
    workspace.load(answer.intent.record_id for answer in answers)
    failed = []
    for answer in answers:
        intent, error = answer.intent, answer.error
        assert isinstance(error, ConnectorError)  # noqa: S101 - the caller chose refusals
        state = workspace.find(intent.record_id)
        title = state.title if state else ""
        problem = RecordProblem(classify(error, system.connection.vendor), error.message, code=error.code)
        failed.append(
            FailedRecord(
                connection_id=system.connection.pk, direction="write", object_name=intent.object_name,
                record_id=intent.record_id, title=title, problem=problem, payload=intent.payload, is_payload_sent=True,
            )
        )  # fmt: skip
        context.journal.note(_entry(system, intent, state.entity if state else "", title, RecordAction.FAILED, now))
    note_failures(context, failed, now)


class _Confirmation:
    """Takes over the read-backs of one sink's writes."""

    def __init__(self, context: RunContext, system: BoundSystem, sink: str, now: datetime) -> None:
        self.context = context
        self.system = system
        self.sink = system.manifest.sink(sink)
        self.source: SourceMapping = stream_mapping(system.manifest, system.manifest.stream(self.sink.stream))
        self.target = SinkMapping(system.manifest, self.sink)
        self.now = now

    def take(self, answers: list[Answer]) -> None:
        answers = self._believe(answers) if answers else []
        if not answers:
            return
        workspace = self.context.workspace("connection", self.system.connection.pk)
        intents = [answer.intent for answer in answers]
        workspace.adopt(intent.state for intent in intents if intent.state)
        workspace.load(intent.record_id for intent in intents)
        known = by_record(self.system.connection.pk, [intent.record_id for intent in intents])
        references, outdated = [], []
        for answer in answers:
            state = workspace.find(answer.intent.record_id)
            if state is None or answer.record is None:
                continue
            if state.version > answer.intent.record_version:
                outdated.append((answer.intent, state))
            reference = known.get((state.id, self.sink.stream))
            references.append(self._take_one(workspace, state, answer.intent, answer.record, reference))
            self._note(answer.intent, state, answer.record)
        save_references(references, self.now)
        confirm_intents(intents)
        self._follow_up(workspace, intents, outdated)

    def _believe(self, answers: list[Answer]) -> list[Answer]:
        """Those that tell of what was written. Whoever read what we just made before we knew its id is one with it."""
        found = sort_answers(self.system, self.sink.stream, answers)
        for drop, keep in found.twins.items():
            absorb_record(keep_id=keep, drop_id=drop)
        creates = [Parked(intent, told, CODE) for intent, told in found.strange if intent.is_create]
        if creates:
            park(self.context, self.system, creates, self.now)
        others = [
            Answer(intent, None, RecordRejected(told, code=CODE))
            for intent, told in found.strange
            if not intent.is_create
        ]
        _reject(self.context, self.system, others, self.now)
        return found.own

    def _take_one(
        self, workspace: Workspace, state: State, intent: Intent, record: SourceRecord, reference: Reference | None
    ) -> Reference:
        if reference is None:
            reference = Reference(state.id, self.system.connection.pk, self.sink.stream, record.external_id)
        mapped = self._map(record)
        if mapped:
            self._adopt(workspace, state, intent, mapped, reference)
        reference.external_id = record.external_id
        reference.seen = mapped.seen() if mapped else {}
        reference.last_seen_hash = mapped.hash if mapped else ""
        reference.write_hash, reference.rest_hash = intent.payload_hash, intent.rest_hash
        reference.source_modified_at = record.modified_at or reference.source_modified_at
        reference.url = record.url or reference.url
        reference.deleted_at = None
        return reference

    def _map(self, record: SourceRecord) -> MappedRecord | None:
        """None when the read-back cannot be mapped: the object exists all the same, and the next read says why."""
        try:
            return self.source.apply(record)
        except RecordProblem:
            return None

    def _adopt(
        self, workspace: Workspace, state: State, intent: Intent, mapped: MappedRecord, reference: Reference
    ) -> None:
        """Takes over what the target decides, what we did not know, and what was edited there beside our write."""
        adopted = self._adopted_fields(intent)
        fields: dict[str, Any] = {
            name: value for name, value in mapped.data.items() if name in adopted or name not in state.data
        }
        if reference.seen:
            written = set().union(*(self.target.origins.get(name, set()) for name in intent.payload))
            edited, _ = edits(mapped, reference.seen, {})
            fields.update({name: value for name, value in edited.items() if name not in written})
        try:
            workspace.change(state, fields)
        except InvalidRecord:
            # The vendor answers in a form we cannot keep; its own reading will fail by name.
            return

    def _adopted_fields(self, intent: Intent) -> set[str]:
        write = self.context.spec.rules[intent.rule].write if intent.rule is not None else None
        return set(write.adopt) if write else set()

    def _note(self, intent: Intent, state: State, record: SourceRecord) -> None:
        action = RecordAction.CREATED if intent.is_create else RecordAction.UPDATED
        entry = _entry(self.system, intent, state.entity, state.title, action, self.now, record.external_id)
        self.context.journal.note(entry)

    def _follow_up(self, workspace: Workspace, intents: list[Intent], outdated: list[tuple[Intent, State]]) -> None:
        context, now = self.context, self.now
        meter_writes(context, intents, now)
        if context.has_failures:
            ids = [intent.record_id for intent in intents]
            resolve_writing(context, self.system.connection.pk, self.sink.name, ids, now)
        subject = f"customer:{context.flow.customer_id}"
        provisioned = [i for i in intents if i.is_create and self.sink.entity == "project"]
        record_facts([(PROJECT_PROVISIONED, subject, self._fact(intent)) for intent in provisioned], now)
        tell_flows(context, {PROJECT_PROVISIONED} if provisioned else set(), now)
        draw_consequences(context, workspace, workspace.take_touched(), now)
        for intent, state in outdated:
            plan = Planner(context, workspace).again(self.system, self.sink.name, [state], intent.rule)
            settle_plan(context, plan, now)

    def _fact(self, intent: Intent) -> dict[str, Any]:
        return {
            "record_id": str(intent.record_id), "connection_id": str(self.system.connection.pk),
            "is_production": self.context.is_production,
        }  # fmt: skip


def _entry(
    system: BoundSystem, intent: Intent, entity: str, title: str, action: RecordAction, now: datetime,
    external_id: str = "",
) -> Entry:  # fmt: skip
    changed_at = intent.source_changed_at
    return Entry(
        connection_id=system.connection.pk,
        direction="write",
        object_name=intent.object_name,
        entity=entity,
        action=action,
        record_id=intent.record_id,
        external_id=external_id,
        title=title,
        diff=intent.told_diff(),
        attempts=max(intent.attempts, 1),
        latency_ms=max(int((now - changed_at).total_seconds() * 1000), 0) if changed_at else None,
    )
