"""Taking a page's mapped records over into the canonical model: find the record, apply what was edited there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.canonical.matching import Doubt, Verdict, decide, find_candidates, thresholds_of
from apps.canonical.promoted import match_keys
from apps.canonical.references import Reference, by_external_id
from apps.canonical.scoring import Subject
from apps.canonical.services import ask_questions
from apps.canonical.services.questions import Doubtful
from apps.canonical.services.values import ask_values, note_agreement
from apps.canonical.workspace import State, Workspace
from apps.connectors.sdk.entities import InvalidRecord
from apps.core.ids import uuid7
from apps.sync.engine.conflicts import Judge
from apps.sync.engine.context import BoundSystem
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.mapping import MappedRecord
from apps.sync.engine.read import ReadFailure
from apps.sync.models import ErrorClass

AHEAD = timedelta(days=1)  # so much a system's clock may be wrong


@dataclass(slots=True)
class Taken:
    """A record that went through; `state` is None for one that is older than what is known, or never lived for us."""

    mapped: MappedRecord
    state: State | None
    is_changed: bool
    is_new: bool = False


@dataclass
class Merger:
    """Merges the records of one page, stream by stream, in one transaction under the environment's lock."""

    workspace: Workspace
    system: BoundSystem
    now: datetime
    judge: Judge
    taken: list[Taken] = field(default_factory=list)
    failures: list[ReadFailure] = field(default_factory=list)
    references: dict[tuple[str, str], Reference] = field(default_factory=dict)
    saved: list[Reference] = field(default_factory=list)
    doubts: list[Doubtful] = field(default_factory=list)
    _keys: dict[str, list[str]] = field(default_factory=dict)  # match keys of the newcomers at hand

    def merge(self, records: Iterable[MappedRecord]) -> None:
        """This method will apply all records; what they refer to stands before them, or among them."""
        groups: dict[str, list[MappedRecord]] = {}
        for record in records:
            groups.setdefault(record.object_name, []).append(record)
        waiting: list[tuple[MappedRecord, State]] = []
        for object_name, group in groups.items():
            self._load(object_name, group)
            verdict = self._match(object_name, group)
            self._prepare_judge(object_name, group, verdict)
            for record in group:
                self._merge_one(record, verdict.matched.get(record.external_id), waiting)
                self._doubt(record, verdict.doubts.get(record.external_id, []))
        self._link_late(waiting)

    def ask(self) -> None:
        """This method will note who may be whom as questions, after the records were written."""
        if self.doubts:
            ask_questions(self.workspace.environment, self.doubts, self.now)
            self.workspace.has_questions = True
        ask_values(self.workspace.environment, self.judge.asked, self.now)
        for record_id, fields in self.judge.agreed.items():
            note_agreement(self.system.connection.pk, record_id, fields, self.now)

    def _prepare_judge(self, object_name: str, group: list[MappedRecord], verdict: Verdict) -> None:
        if self.judge.policies.by_entity.get(group[0].entity):
            places = (self.references.get((object_name, record.external_id)) for record in group)
            known = [place.record_id for place in places if place]
            self.judge.prepare(group[0].entity, [*known, *verdict.matched.values()])

    def _load(self, object_name: str, group: list[MappedRecord]) -> None:
        known = by_external_id(self.system.connection.pk, object_name, [record.external_id for record in group])
        wanted: dict[str, set[str]] = {}
        for record in group:
            for stream, external_id in record.refs.values():
                if (stream, external_id) not in self.references:
                    wanted.setdefault(stream, set()).add(external_id)
        for stream, ids in wanted.items():
            found = by_external_id(self.system.connection.pk, stream, ids)
            self.references.update({(stream, external_id): ref for external_id, ref in found.items()})
        self.references.update({(object_name, external_id): ref for external_id, ref in known.items()})
        self.workspace.load(reference.record_id for reference in known.values())

    def _match(self, object_name: str, group: list[MappedRecord]) -> Verdict:
        entity = group[0].entity
        new = [r for r in group if (object_name, r.external_id) not in self.references and not r.source.deleted]
        self._keys = {record.external_id: match_keys(entity, record.data) for record in new}
        candidates = find_candidates(
            environment_id=self.workspace.environment.pk,
            entity=entity,
            connection_id=self.system.connection.pk,
            object_name=object_name,
            keys=self._keys,
        )
        if not candidates:
            return Verdict()
        ids = {record_id for found in candidates.values() for record_id in found}
        self.workspace.load(ids)
        known = {s.id: Subject(s.data, s.links) for s in map(self.workspace.find, ids) if s}
        subjects = {r.external_id: Subject(r.data, self._links(r)) for r in new if r.external_id in candidates}
        thresholds = thresholds_of(entity, self.workspace.environment.customer_id)
        return decide(entity, subjects, candidates, known, thresholds)

    def _doubt(self, record: MappedRecord, doubts: list[Doubt]) -> None:
        reference = self.references.get((record.object_name, record.external_id))
        if reference is not None:  # a record that could not be taken over is no newcomer yet
            self.doubts += [Doubtful(record.entity, reference.record_id, d.record_id, d.score) for d in doubts]

    def _merge_one(self, record: MappedRecord, match: UUID | None, waiting: list[tuple[MappedRecord, State]]) -> None:
        reference = self.references.get((record.object_name, record.external_id))
        # What was deleted before we ever saw it does not come to life here.
        if (reference and _is_older(record, reference, self.now)) or (reference is None and record.source.deleted):
            self.taken.append(Taken(record, None, is_changed=False))
            return
        try:
            state, is_changed = self._apply(record, reference, self.workspace.find(match))
        except InvalidRecord as error:
            if reference and record.source.deleted:
                reference.deleted_at = reference.deleted_at or self.now
                self.saved.append(reference)
                return
            problem = RecordProblem(ErrorClass.MAPPING, str(error), code=error.field)
            self.failures.append(ReadFailure(record.object_name, record.entity, record.source, problem))
            return
        if any(target not in self.references for target in record.refs.values()):
            waiting.append((record, state))
        self._remember(record, reference, state)
        self.taken.append(Taken(record, state, is_changed=is_changed, is_new=state.is_new and match is None))

    def _apply(self, record: MappedRecord, reference: Reference | None, match: State | None) -> tuple[State, bool]:
        links = self._links(record)
        if reference:
            state = self.workspace.find(reference.record_id)
            assert state is not None  # noqa: S101 - a cross-reference never outlives its record
            if not reference.last_seen_hash and not reference.seen and not reference.write_hash:
                return state, self._meet(state, record, links)  # paired by a person before it was ever read
            fields, moved = edits(record, reference.seen, links)
            if record.source.deleted:
                # What a tombstone leaves out was not emptied by anybody.
                fields, moved = {name: value for name, value in fields.items() if value is not None}, {}
            return state, self._take(state, record, fields, moved, reference.seen)
        if match:
            return match, self._meet(match, record, links)
        state = self.workspace.create(
            uuid7(), record.entity, dict(record.data), links, self._keys.get(record.external_id)
        )
        state.edited_at = record.source.modified_at
        return state, True

    def _meet(self, state: State, record: MappedRecord, links: dict[str, UUID]) -> bool:
        """Both systems had it before we came: what the first says stands until somebody edits it, or as the policy says."""
        differing = {name: value for name, value in record.data.items() if state.data.get(name) != value}
        fresh: dict[str, UUID | None] = {n: target for n, target in links.items() if n not in state.links}
        return self._take(state, record, differing, fresh, None)

    def _take(
        self, state: State, record: MappedRecord, fields: dict[str, Any], links: dict[str, UUID | None],
        seen: dict[str, Any] | None,
    ) -> bool:  # fmt: skip
        """Changes what the policies admit; where they do not, or on a first meeting, the system is to be set right."""
        modified_at = record.source.modified_at
        admitted = self.judge.admit(state, fields, seen, modified_at)
        if len(admitted) < len(fields) or (seen is None and self.judge.policies.by_entity.get(state.entity)):
            self.workspace.touch(state)
        is_changed = self.workspace.change(state, admitted, links)
        if is_changed:
            state.edited_at = modified_at
        return is_changed

    def _links(self, record: MappedRecord) -> dict[str, UUID]:
        return {
            name: self.references[target].record_id for name, target in record.refs.items() if target in self.references
        }

    def _remember(self, record: MappedRecord, reference: Reference | None, state: State) -> None:
        if reference is None:
            reference = Reference(state.id, self.system.connection.pk, record.object_name, record.external_id)
            self.references[record.object_name, record.external_id] = reference
        seen = record.seen()
        if seen != reference.seen:
            reference.write_hash = ""
        reference.seen, reference.last_seen_hash = seen, record.hash
        reference.source_modified_at = record.source.modified_at or reference.source_modified_at
        reference.url = record.source.url or reference.url
        reference.deleted_at = (reference.deleted_at or self.now) if record.source.deleted else None
        self.saved.append(reference)

    def _link_late(self, waiting: list[tuple[MappedRecord, State]]) -> None:
        """References within the page: now all of its records exist."""
        for record, state in waiting:
            links: dict[str, UUID | None] = {**self._links(record)}
            self.workspace.change(state, {}, links)


def edits(
    record: MappedRecord, seen: dict[str, Any], links: dict[str, UUID]
) -> tuple[dict[str, Any], dict[str, UUID | None]]:
    """What was edited in this system since it was last seen, as fields and references to set (None: removed).

    Only that: taking over all it holds would undo edits made elsewhere, and values it never knew.
    """
    fields = {name: record.data.get(name) for name in record.mapping.fields if record.data.get(name) != seen.get(name)}
    moved: dict[str, UUID | None] = {}
    for name in record.mapping.spec.refs:
        external_id = record.refs[name][1] if name in record.refs else None
        if external_id != seen.get(f"@{name}"):
            moved[name] = links.get(name)
    return fields, moved


def _is_older(record: MappedRecord, reference: Reference, now: datetime) -> bool:
    """By the system's clock. A stamp far ahead (year 9999) is no moment: nothing would ever be newer than that."""
    modified, known = record.source.modified_at, reference.source_modified_at
    return modified is not None and known is not None and modified < known <= now + AHEAD
