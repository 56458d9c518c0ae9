"""The canonical records that one transaction works on: loaded in bulk, changed in memory, written back in bulk.

The caller holds the environment's lock (`lock_environment`): nobody else changes these records meanwhile, and the ids
of changes follow the order of commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from apps.canonical.custom_fields import custom_kinds
from apps.canonical.promoted import match_keys, promoted, title_of
from apps.connectors.sdk.entities import validate_entity
from apps.core.bulk import copy_rows, execute, fetch_rows, json_text, lock_for_transaction
from apps.customers.models import Environment

_LOAD = """
SELECT id, entity, data, version FROM canonical_canonicalrecord WHERE id = ANY(%s) AND environment_id = %s
"""
_LOAD_LINKS = "SELECT source_id, name, target_id FROM canonical_canonicallink WHERE source_id = ANY(%s)"
_MOVED = """
SELECT given.id FROM unnest(%s::uuid[], %s::int[]) AS given(id, version)
WHERE version IS DISTINCT FROM (SELECT record.version FROM canonical_canonicalrecord record WHERE record.id = given.id)
"""
_RECORD_COLUMNS = ("id", "entity", "data", "title", "number", "state", "occurred_on", "match_keys")
_UPDATE = """
UPDATE canonical_canonicalrecord record SET
    data = new.data, title = new.title, number = new.number, state = new.state, occurred_on = new.occurred_on,
    version = new.version, match_keys = ARRAY(SELECT jsonb_array_elements_text(new.match_keys)), changed_at = %s
FROM jsonb_to_recordset(%s::jsonb) AS new(
    id uuid, data jsonb, title text, number text, state text, occurred_on date, version int, match_keys jsonb)
WHERE record.id = new.id
"""
_LINK = """
INSERT INTO canonical_canonicallink (source_id, name, target_id)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::uuid[])
ON CONFLICT (source_id, name) DO UPDATE SET target_id = EXCLUDED.target_id
"""
_UNLINK = """
DELETE FROM canonical_canonicallink link USING unnest(%s::uuid[], %s::text[]) AS gone(source_id, name)
WHERE link.source_id = gone.source_id AND link.name = gone.name
"""
_CHANGE_COLUMNS = ("record_id", "entity", "version", "fields", "source_at")


def lock_environment(environment_id: UUID) -> None:
    """This function will make the caller the only one who changes canonical records of the environment."""
    lock_for_transaction(environment_id)


@dataclass(frozen=True, slots=True)
class ChangeSource:
    """Who causes the changes: a system (connection), a flow's rules, or a person."""

    kind: str
    connection_id: UUID | None = None
    flow_id: UUID | None = None
    run_id: UUID | None = None


@dataclass(slots=True, eq=False)
class State:
    """A record in memory. `stored_data` and `stored_links` are what the database holds.

    `edited_at`: when the source made the edits under way, by its own clock.
    """

    id: UUID
    entity: str
    data: dict[str, Any]
    links: dict[str, UUID]
    version: int = 0
    stored_data: dict[str, Any] = field(default_factory=dict)
    stored_links: dict[str, UUID] = field(default_factory=dict)
    edited_at: datetime | None = None
    keys: list[str] | None = None  # its match keys, where they are known already

    @property
    def is_new(self) -> bool:
        return self.version == 0

    @property
    def title(self) -> str:
        return title_of(self.data)

    def difference(self) -> dict[str, list[Any]]:
        """{field or reference: [before, after]} against the database."""
        if self.is_new:
            return {
                **{name: [None, value] for name, value in self.data.items() if value is not None},
                **{name: [None, str(target)] for name, target in self.links.items()},
            }
        found = {
            name: [self.stored_data.get(name), self.data.get(name)]
            for name in self.data.keys() | self.stored_data.keys()
            if self.data.get(name) != self.stored_data.get(name)
        }
        for name in self.links.keys() | self.stored_links.keys():
            before, after = self.stored_links.get(name), self.links.get(name)
            if before != after:
                found[name] = [str(before) if before else None, str(after) if after else None]
        return found


@dataclass(slots=True)
class Change:
    """One flushed change: what events and logs are made from."""

    state: State
    fields: dict[str, list[Any]]
    is_new: bool


class Workspace:
    """Records under change in one transaction. `changes` grows with every flush."""

    def __init__(self, environment: Environment, source: ChangeSource, now: datetime) -> None:
        self.environment = environment
        self.source = source
        self.now = now
        self.changes: list[Change] = []
        self.has_questions = False  # whether somebody was asked about a record that was created here
        self._states: dict[UUID, State] = {}
        self._touched: dict[UUID, State] = {}
        self._dirty: dict[UUID, State] = {}
        self._created: set[UUID] = set()
        self._custom: dict[str, dict[str, str]] = {}

    def load(self, ids: Iterable[UUID]) -> None:
        wanted = [record_id for record_id in dict.fromkeys(ids) if record_id not in self._states]
        if not wanted:
            return
        for record_id, entity, data, version in fetch_rows(_LOAD, [wanted, self.environment.pk]):
            value = _as_dict(data)
            self._states[record_id] = State(record_id, entity, dict(value), {}, version, value)
        for source_id, name, target_id in fetch_rows(_LOAD_LINKS, [wanted]):
            if source_id in self._states:
                self._states[source_id].links[name] = self._states[source_id].stored_links[name] = target_id

    def adopt(self, states: Iterable[State]) -> None:
        """This method will go on with records of an earlier transaction; those that have moved on since are loaded."""
        known = {state.id: state for state in states}
        moved = [row[0] for row in fetch_rows(_MOVED, [list(known), [s.version for s in known.values()]])]
        for record_id in moved:
            del known[record_id]
        self._states.update(known)
        self.load(moved)

    def loaded(self) -> list[State]:
        return list(self._states.values())

    def find(self, record_id: UUID | None) -> State | None:
        """A loaded or created record."""
        return self._states.get(record_id) if record_id else None

    def create(
        self, record_id: UUID, entity: str, data: dict[str, Any], links: dict[str, UUID],
        keys: list[str] | None = None,
    ) -> State:  # fmt: skip
        """`keys`: the match keys of `data`, if known. Raises InvalidRecord, and then nothing was created."""
        validate_entity(entity, data, lambda: self._custom_kinds(entity))
        state = State(record_id, entity, data, links, keys=keys)
        self._states[record_id] = state
        self._created.add(record_id)
        self._mark(state)
        return state

    def is_created_here(self, state: State) -> bool:
        """Whether the record did not exist before this transaction."""
        return state.id in self._created

    def change(self, state: State, fields: dict[str, Any], links: dict[str, UUID | None] | None = None) -> bool:
        """Sets fields and references (None removes them); False when nothing differs. Raises InvalidRecord."""
        data = {name: value for name, value in {**state.data, **fields}.items() if value is not None}
        targets = {name: value for name, value in {**state.links, **(links or {})}.items() if value is not None}
        if data == state.data and targets == state.links:
            return False
        if data != state.data:
            validate_entity(state.entity, data, lambda: self._custom_kinds(state.entity))
            state.keys = None
        state.data, state.links = data, targets
        self._mark(state)
        return True

    def touch(self, state: State) -> None:
        """This method will have the rules work the record off although nothing of it changed."""
        self._touched[state.id] = state

    def take_touched(self) -> list[State]:
        """What changed since the last call, in order: the next round's work for the rules."""
        found = list(self._touched.values())
        self._touched = {}
        return found

    def flush(self) -> None:
        """This method will write everything changed so far."""
        dirty = [(state, state.difference()) for state in self._dirty.values()]
        self._dirty = {}
        changed = [(state, fields) for state, fields in dirty if fields or state.is_new]
        if not changed:
            return
        self._insert([state for state, _ in changed if state.is_new])
        self._update([state for state, _ in changed if not state.is_new])
        self._write_links([state for state, _ in changed])
        self.changes.extend(Change(state, fields, state.is_new) for state, fields in changed)
        self._write_changes(changed)
        for state, _ in changed:
            state.version += 1
            state.stored_data, state.stored_links, state.edited_at = dict(state.data), dict(state.links), None

    def _custom_kinds(self, entity: str) -> dict[str, str]:
        if entity not in self._custom:
            self._custom[entity] = custom_kinds(self.environment.customer_id, entity)
        return self._custom[entity]

    def _mark(self, state: State) -> None:
        self._touched[state.id] = self._dirty[state.id] = state

    def _insert(self, states: list[State]) -> None:
        if not states:
            return
        rows = (
            (
                s.id,
                s.entity,
                json_text(s.data),
                *promoted(s.data),
                match_keys(s.entity, s.data) if s.keys is None else s.keys,
            )
            for s in states
        )
        shared = {
            "customer_id": self.environment.customer_id,
            "environment_id": self.environment.pk,
            "version": 1,
            "created_at": self.now,
            "changed_at": self.now,
        }
        copy_rows("canonical_canonicalrecord", _RECORD_COLUMNS, rows, shared)

    def _update(self, states: list[State]) -> None:
        if not states:
            return
        rows = [
            {
                "id": state.id,
                "data": state.data,
                **promoted(state.data)._asdict(),
                "version": state.version + 1,
                "match_keys": match_keys(state.entity, state.data),
            }
            for state in states
        ]
        execute(_UPDATE, [self.now, json_text(rows)])

    def _write_links(self, states: list[State]) -> None:
        made, gone = [], []
        for state in states:
            made += [(state.id, n, t) for n, t in state.links.items() if state.stored_links.get(n) != t]
            gone += [(state.id, name) for name in state.stored_links if name not in state.links]
        if made:
            execute(_LINK, [list(column) for column in zip(*made, strict=True)])
        if gone:
            execute(_UNLINK, [list(column) for column in zip(*gone, strict=True)])

    def _write_changes(self, changed: list[tuple[State, dict[str, list[Any]]]]) -> None:
        rows = (
            (state.id, state.entity, state.version + 1, json_text(fields), state.edited_at) for state, fields in changed
        )
        shared = {
            "environment_id": self.environment.pk,
            "flow_id": self.source.flow_id,
            "at": self.now,
            "source_kind": self.source.kind,
            "connection_id": self.source.connection_id,
            "run_id": self.source.run_id,
        }
        copy_rows("canonical_canonicalchange", _CHANGE_COLUMNS, rows, shared)


def _as_dict(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = value if isinstance(value, dict) else orjson.loads(value)
    return found
