"""Canonical record → a sink's payload, and what of it the target does not hold yet."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from apps.canonical.references import Reference
from apps.connectors.sdk.entities import CUSTOM_PREFIX
from apps.connectors.sdk.manifest import ConnectorManifest, SinkSpec, StreamSpec
from apps.core import expressions
from apps.core.expressions import ExpressionError
from apps.flows.binding import object_of
from apps.sync.engine.context import BoundSystem, full_record
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.hashing import digest
from apps.sync.models import ErrorClass

_FIELD = re.compile(r"""\brecord\s*\.\s*(\w+)|\bget\(\s*record\s*,\s*["'](\w+)""")
NO_REST = digest({})
_REF = re.compile(r"""\brefs\s*\.\s*(\w+)|\bget\(\s*refs\s*,\s*["'](\w+)""")


@dataclass(frozen=True)
class SinkMapping:
    """A sink's compiled mapping and which canonical fields and references each of the vendor's fields comes from."""

    manifest: ConnectorManifest
    spec: SinkSpec

    @cached_property
    def program(self) -> expressions.MappingProgram:
        return expressions.compile(self.spec.fields)

    @cached_property
    def stream(self) -> StreamSpec:
        return self.manifest.stream(self.spec.stream)

    @cached_property
    def origins(self) -> dict[str, set[str]]:
        return {
            name: names(_FIELD, source) | {f"@{ref}" for ref in names(_REF, source)}
            for name, source in self.spec.fields.items()
        }

    @cached_property
    def custom(self) -> dict[str, None]:
        """The custom fields it speaks of, null where a record has none."""
        return {name: None for names in self.origins.values() for name in names if name.startswith(CUSTOM_PREFIX)}

    @cached_property
    def covered(self) -> set[str]:
        """The vendor's fields whose present value can be told from what was last seen there."""
        readable = set(self.stream.fields) | {f"@{name}" for name in self.stream.refs}
        return {
            name
            for name, origins in self.origins.items()
            if origins and origins <= readable and self.spec.fields[name] == self.own.get(name)
        }

    @cached_property
    def uncovered(self) -> list[str]:
        return [name for name in self.spec.fields if name not in self.covered]

    @cached_property
    def own(self) -> dict[str, str]:
        """The connector's own mapping. It and the connector's reading undo each other; a changed one need not."""
        return self.spec.own_fields or self.spec.fields

    @cached_property
    def as_own(self) -> SinkMapping:
        return SinkMapping(self.manifest, msgspec.structs.replace(self.spec, fields=self.own, own_fields={}))

    def object_of_ref(self, name: str) -> str:
        return object_of(self.manifest, self.spec.refs[name])

    def build(self, data: dict[str, Any], refs: Mapping[str, str | None], context: PayloadContext) -> dict[str, Any]:
        """Raises RecordProblem."""
        values = {
            "record": {**self.custom, **full_record(self.spec.entity, data)},
            "refs": {name: refs.get(name) for name in self.spec.refs},
            "settings": context.settings,
            "connection": context.system.connection.settings,
        }
        try:
            return self.program.evaluate(values)
        except ExpressionError as error:
            raise RecordProblem(ErrorClass.MAPPING, str(error), code=error.field) from error

    def touched_by(self, fields: list[str]) -> set[str]:
        """The vendor's fields that an update restricted to these canonical fields may touch."""
        return {name for name in self.spec.fields if not fields or name in fields or self.origins[name] & set(fields)}


@dataclass(slots=True)
class PayloadContext:
    system: BoundSystem
    settings: dict[str, Any]


@dataclass(slots=True)
class Desired:
    """What the target shall hold: `diff` is {vendor's field: [as last seen, wanted]}; of a create all that is sent."""

    payload: dict[str, Any]
    payload_hash: str
    rest_hash: str
    changed: dict[str, list[Any]] | None = None

    @property
    def diff(self) -> dict[str, list[Any]]:
        return first_values(self.payload) if self.changed is None else self.changed


def desired_create(
    mapping: SinkMapping, data: dict[str, Any], refs: Mapping[str, str | None], context: PayloadContext
) -> Desired:
    payload = mapping.build(data, refs, context)
    return Desired(payload, digest(payload), _rest_hash(mapping, payload))


def first_values(payload: dict[str, Any]) -> dict[str, list[Any]]:
    """The differences that creating an object makes."""
    return {name: [None, value] for name, value in payload.items() if value not in (None, "", [])}


def desired_update(
    mapping: SinkMapping,
    data: dict[str, Any],
    refs: Mapping[str, str | None],
    context: PayloadContext,
    reference: Reference,
    fields: list[str],
    withheld: Collection[str] = (),
) -> Desired | None:
    """None when the target holds everything already: asked before, or seen there. `withheld`: a person is being asked."""
    touched = mapping.touched_by(fields)
    if withheld:
        touched = {name for name in touched if not mapping.origins[name] & set(withheld)}
    payload = {name: value for name, value in mapping.build(data, refs, context).items() if name in touched}
    payload_hash, rest_hash = digest(payload), _rest_hash(mapping, payload)
    if payload_hash == reference.write_hash:
        return None
    before = _as_seen(mapping, reference, context)
    diff = {
        name: [before.get(name), value]
        for name, value in payload.items()
        if (name in mapping.covered and before.get(name, ...) != value)
        or (name not in mapping.covered and rest_hash != reference.rest_hash)
    }
    return Desired(payload, payload_hash, rest_hash, diff) if diff else None


def _as_seen(mapping: SinkMapping, reference: Reference, context: PayloadContext) -> dict[str, Any]:
    """The payload that would ask for exactly what the target was last seen to hold, in the connector's own mapping."""
    data = {name: value for name, value in reference.seen.items() if not name.startswith("@")}
    refs = {name[1:]: value for name, value in reference.seen.items() if name.startswith("@")}
    try:
        return mapping.as_own.build(data, refs, context) if reference.seen else {}
    except RecordProblem:
        return {}


def _rest_hash(mapping: SinkMapping, payload: dict[str, Any]) -> str:
    rest = {name: payload[name] for name in mapping.uncovered if name in payload}
    return digest(rest) if rest else NO_REST


def names(pattern: re.Pattern[str], source: str) -> set[str]:
    return {first or second for first, second in pattern.findall(source)}
