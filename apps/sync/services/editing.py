"""A failed record corrected by a person: a change of the record like any other, then written by the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from apps.audit.services import record_audit
from apps.canonical.models import CanonicalRecord
from apps.canonical.workspace import ChangeSource, Workspace, lock_environment
from apps.connectors.sdk.entities import ENTITIES, InvalidRecord, MoneyValue
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.sync.engine.context import build_context
from apps.sync.engine.events import facts_of, record_facts
from apps.sync.engine.payload import SinkMapping
from apps.sync.models import FailureStatus, IntentStatus, NoteKind, RecordFailure, WriteIntent
from apps.sync.services.failures import NOT_RUNNING, ask_again, note_failures

PERSON = "person"
_KINDS: dict[type[msgspec.inspect.Type], str] = {
    msgspec.inspect.StrType: "text", msgspec.inspect.IntType: "integer", msgspec.inspect.BoolType: "boolean",
    msgspec.inspect.DateType: "date", msgspec.inspect.LiteralType: "choice",
}  # fmt: skip


class UnableToEdit(Conflict):
    """The record cannot be corrected here, or not to this."""


@dataclass(frozen=True, slots=True)
class EditableField:
    """`kind`: text, integer, boolean, date, choice or money ({"amount": minor units, "currency": code})."""

    name: str
    kind: str
    is_required: bool
    value: Any
    choices: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class EditableRecord:
    """What of the record goes into the payload. Lists, such as an invoice's lines, are corrected at their source."""

    record: CanonicalRecord
    fields: list[EditableField]


def find_editable(actor: Actor, failure: RecordFailure) -> EditableRecord:
    """Raises UnableToEdit when there is nothing to correct here, NotVisible, NotPermitted."""
    actor.require("errors.resolve")
    actor.require("payloads.view")
    actor.require_sight(failure.customer_id, "There is no such entry.")
    visible = CanonicalRecord.objects.visible_to(actor)
    record = visible.filter(pk=failure.record_id).first() if failure.record_id else None
    if record is None:
        raise UnableToEdit("It could not be read, so there is nothing to correct here. Correct it at its source.")
    names = _sent_fields(failure, record.entity)
    fields = [found for found in _fields(record) if found.name in names]
    if not fields:
        raise UnableToEdit("Nothing of this record can be corrected here. Correct it at its source.")
    return EditableRecord(record, fields)


@transaction.atomic
def edit_and_retry(
    *, actor: Actor, now: datetime, failure: RecordFailure, values: dict[str, Any], version: int
) -> RecordFailure:  # fmt: skip
    """This function will change the record as a person's decision and have it written again; None empties a field.

    `version` is the record's when the person looked. What the source changes later counts again. Raises UnableToEdit.
    """
    editable = find_editable(actor, failure)
    lock_environment(failure.environment_id)
    locked = RecordFailure.objects.select_for_update().get(pk=failure.pk)
    _demand_idle(locked)
    workspace = Workspace(failure.environment, ChangeSource(PERSON), now)
    workspace.load([editable.record.pk])
    state = workspace.find(editable.record.pk)
    if state is None or state.version != version:
        raise UnableToEdit("The record has changed since you opened it. Open it anew and enter your correction again.")
    known = {field.name for field in editable.fields}
    if unknown := sorted(set(values) - known):
        raise UnableToEdit(f"{unknown[0]} is not a field that can be corrected here.", field=unknown[0])
    try:
        is_changed = workspace.change(state, values)
    except InvalidRecord as error:
        raise UnableToEdit(f"{error}.", field=error.field) from error
    if not is_changed:
        raise UnableToEdit("Nothing was changed. To try the record as it is, retry it.")
    workspace.flush()
    record_facts(facts_of(workspace), now)
    ask_again(actor, RecordFailure.objects.filter(pk=locked.pk), now)
    changed = sorted(workspace.changes[0].fields)
    note_failures(actor.label, RecordFailure.objects.filter(pk=locked.pk), NoteKind.EDITED, ", ".join(changed), now)
    record_audit(
        actor=actor, action="failure.edited", target_key=f"record:{state.id}", target_label=state.title,
        owner_key=failure.owner_key, after={"fields": changed}, now=now,
    )  # fmt: skip
    locked.refresh_from_db()
    return locked


def _demand_idle(failure: RecordFailure) -> None:
    if failure.status != FailureStatus.OPEN:
        raise UnableToEdit("This entry is settled, or being tried again at this moment.")
    if RecordFailure.objects.filter(NOT_RUNNING, pk=failure.pk).exists():
        raise UnableToEdit(f"The integration {failure.flow.integration.name} does not run. Resume it first.")
    on_its_way = WriteIntent.objects.filter(
        record_id=failure.record_id, status__in=[IntentStatus.SENT, IntentStatus.UNCERTAIN]
    )
    if on_its_way.exists():
        raise UnableToEdit(
            "It is not known yet whether the record arrived. Look in the system, then retry or ignore it."
        )


def _sent_fields(failure: RecordFailure, entity: str) -> set[str]:
    """The record's fields that the target's mapping uses; all of them where a rule failed and not a target."""
    context = build_context(failure.flow, None)
    systems = (system for system in context.systems.values() if system.connection.pk == failure.connection_id)
    for system in systems:
        for spec in system.manifest.sinks:
            if spec.name == failure.object_name and spec.entity == entity:
                origins = SinkMapping(system.manifest, spec).origins.values()
                return {name for names in origins for name in names if not name.startswith("@")}
    return set(ENTITIES[entity].__struct_fields__)


def _fields(record: CanonicalRecord) -> list[EditableField]:
    info = msgspec.inspect.type_info(ENTITIES[record.entity])
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 - every entity is a struct
    found = (_field(field.name, field.type, field.required, record.data.get(field.name)) for field in info.fields)
    return [field for field in found if field is not None]


def _field(name: str, kind: msgspec.inspect.Type, is_required: bool, value: Any) -> EditableField | None:
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(part for part in kind.types if not isinstance(part, msgspec.inspect.NoneType))
    if isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    if isinstance(kind, msgspec.inspect.StructType):
        return EditableField(name, "money", is_required, value) if kind.cls is MoneyValue else None
    label = _KINDS.get(type(kind))
    if label is None:
        return None
    choices = tuple(str(v) for v in kind.values) if isinstance(kind, msgspec.inspect.LiteralType) else ()
    pattern = (kind.pattern or "") if isinstance(kind, msgspec.inspect.StrType) else ""
    return EditableField(name, label, is_required, value, choices, pattern)
