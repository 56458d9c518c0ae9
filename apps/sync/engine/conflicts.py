"""Edits on both sides: what of a reading is taken over, by the policy of each field.

An edit conflicts when the record says something else by now than this system was last seen to hold. What is not taken
over is set right in the system by the flow's write rule, except while a person is being asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.canonical.references import by_record
from apps.canonical.services.values import Contradiction
from apps.canonical.workspace import State
from apps.core.bulk import fetch_rows
from apps.flows.definition import (
    ASK,
    DELETION,
    FILL_IF_EMPTY,
    LATEST_WINS,
    MARK,
    SYSTEM_OF_RECORD,
    ConflictSpec,
    FlowSpec,
)
from apps.flows.models import FieldPolicy

REST = "*"
NOTHING: dict[str, Any] = {}
# When each field was set last: by the system's own clock where it told, else by ours.
_LAST = """
SELECT DISTINCT ON (record_id, name) record_id, name, COALESCE(source_at, at)
FROM canonical_canonicalchange change CROSS JOIN LATERAL jsonb_object_keys(change.fields) AS name
WHERE record_id = ANY(%s) ORDER BY record_id, name, version DESC
"""


@dataclass(frozen=True)
class Policies:
    """A flow's policies with the integration's own on top. `systems`: {role: connection}."""

    by_entity: dict[str, dict[str, ConflictSpec]]
    systems: dict[str, UUID]
    deletes: dict[str, str] = field(default_factory=dict)

    def of_deletion(self, entity: str) -> str:
        return self.deletes.get(entity, MARK)

    def of(self, entity: str, name: str) -> ConflictSpec | None:
        """None: every edit is taken over as it is read."""
        fields = self.by_entity.get(entity, {})
        return fields.get(name) or fields.get(REST)

    def asks(self, entity: str) -> bool:
        return any(spec.policy == ASK for spec in self.by_entity.get(entity, {}).values())

    def owners(self, entity: str) -> set[UUID]:
        specs = self.by_entity.get(entity, {}).values()
        return {self.systems[spec.role] for spec in specs if spec.role in self.systems}


def read_policies(spec: FlowSpec, own: Iterable[FieldPolicy], systems: dict[str, UUID]) -> Policies:
    found = {entity: dict(fields) for entity, fields in spec.conflicts.items()}
    deletes = dict(spec.deletes)
    for policy in own:
        if policy.field == DELETION:
            deletes[policy.entity] = policy.policy
            continue
        found.setdefault(policy.entity, {})[policy.field] = ConflictSpec(policy=policy.policy, role=policy.role)
    return Policies(found, systems, deletes)


@dataclass
class Judge:
    """Decides for one system's page. `asked`: what a person has to decide; `agreed`: {record: fields without conflict}."""

    policies: Policies
    connection_id: UUID
    now: datetime
    asked: list[Contradiction] = field(default_factory=list)
    agreed: dict[UUID, list[str]] = field(default_factory=dict)
    _owned: dict[UUID, set[UUID]] = field(default_factory=dict)
    _page: list[UUID] = field(default_factory=list)
    _set_at: dict[tuple[UUID, str], datetime] | None = None

    def prepare(self, entity: str, record_ids: Iterable[UUID]) -> None:
        """This method will look up which records the systems of record know; one question per system and page."""
        ids = list(record_ids)
        self._page, self._set_at = ids, None
        for owner in self.policies.owners(entity) - {self.connection_id}:
            known = by_record(owner, ids)
            self._owned.setdefault(owner, set()).update(record_id for record_id, _ in known)

    def admit(
        self, state: State, edited: dict[str, Any], seen: dict[str, Any] | None, modified_at: datetime | None
    ) -> dict[str, Any]:
        """Those of the edits that are taken over. `seen` None: the first meeting of two records made one."""
        return {
            name: value
            for name, value in edited.items()
            if self._admits(state, name, value, NOTHING if seen is None else seen, modified_at, first=seen is None)
        }

    def _admits(
        self, state: State, name: str, value: Any, seen: dict[str, Any], modified_at: datetime | None, *, first: bool
    ) -> bool:
        spec, current = self.policies.of(state.entity, name), state.data.get(name)
        if spec is None:
            return not first or name not in state.data
        if current == value:
            if self.policies.asks(state.entity):
                self.agreed.setdefault(state.id, []).append(name)
            return True
        if spec.policy == SYSTEM_OF_RECORD:
            owner = self.policies.systems.get(spec.role)
            return owner == self.connection_id or state.id not in self._owned.get(owner or self.connection_id, set())
        if spec.policy == FILL_IF_EMPTY:
            return current is None
        if current is None or (not first and current == seen.get(name)):
            return True
        if spec.policy == ASK:
            self.asked.append(Contradiction(state.id, name, self.connection_id, current, value))
            return False
        assert spec.policy == LATEST_WINS  # noqa: S101 - definitions are checked
        return self._is_latest(state, name, modified_at)

    def _is_latest(self, state: State, name: str, modified_at: datetime | None) -> bool:
        if self._set_at is None:  # the first conflict of a page asks for all of its records
            self._set_at = {(record_id, name): at for record_id, name, at in fetch_rows(_LAST, [self._page])}
        set_at = self._set_at.get((state.id, name))
        return set_at is None or (modified_at or self.now) >= set_at
