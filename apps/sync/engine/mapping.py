"""Vendor's JSON → canonical fields and references, by the manifest's expressions or the flow's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.connectors.sdk.manifest import ConnectorManifest, StreamSpec
from apps.connectors.sdk.types import SourceRecord
from apps.core import expressions
from apps.core.expressions import ExpressionError, MappingProgram
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.hashing import mapping_version, record_hash
from apps.sync.engine.keepable import UNKEEPABLE, find_unkeepable, writable
from apps.sync.models import ErrorClass


@dataclass(frozen=True)
class SourceMapping:
    """A stream's compiled mapping. `refs` of a mapped record are {name: (stream, external id)}."""

    spec: StreamSpec
    fields: tuple[str, ...]
    version: str
    program: MappingProgram
    ref_program: MappingProgram | None

    def hash(self, record: SourceRecord) -> str:
        return record_hash(record, self.version)

    def apply(self, record: SourceRecord, known_hash: str = "") -> MappedRecord:
        """Raises RecordProblem when the record came broken, or an expression fails on it."""
        if record.problem:
            raise RecordProblem(ErrorClass.VALIDATION, record.problem, code="unreadable")
        try:
            values, refs = self._evaluate(record)
        except ExpressionError as error:
            raise RecordProblem(ErrorClass.MAPPING, str(error), code=error.field) from error
        if wrong := find_unkeepable(values) or find_unkeepable(refs):
            raise RecordProblem(ErrorClass.MAPPING, f"{wrong}: {UNKEEPABLE}", code=wrong)
        return MappedRecord(
            source=record,
            mapping=self,
            hash=known_hash or self.hash(record),
            data={name: value for name, value in values.items() if value is not None and value != ""},
            refs={
                name: (self.spec.refs[name]["stream"], str(external_id))
                for name, external_id in refs.items()
                if external_id not in (None, "")
            },
        )

    def _evaluate(self, record: SourceRecord) -> tuple[dict[str, Any], dict[str, Any]]:
        """Raises ExpressionError."""
        try:
            return self._values(record.data)
        except ExpressionError:
            # The expressions' engine refuses a whole record for one value it cannot hold, though no field may be made of it.
            tamed = writable(record.data)
            if tamed == record.data:
                raise
            return self._values(tamed)

    def _values(self, data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        context = {"record": data}
        return self.program.evaluate(context), self.ref_program.evaluate(context) if self.ref_program else {}


@dataclass(slots=True)
class MappedRecord:
    source: SourceRecord
    mapping: SourceMapping
    hash: str
    data: dict[str, Any]
    refs: dict[str, tuple[str, str]]

    @property
    def external_id(self) -> str:
        return self.source.external_id

    @property
    def entity(self) -> str:
        return self.mapping.spec.entity

    @property
    def object_name(self) -> str:
        return self.mapping.spec.name

    def seen(self) -> dict[str, Any]:
        """The record as this system holds it, in canonical words."""
        return {**self.data, **{f"@{name}": external_id for name, (_, external_id) in self.refs.items()}}


def compile_mapping(spec: StreamSpec, overrides: dict[str, str] | None = None) -> SourceMapping:
    fields = {**spec.fields, **(overrides or {})}
    refs = {name: ref["id"] for name, ref in spec.refs.items()}
    return SourceMapping(
        spec=spec,
        fields=tuple(fields),
        version=mapping_version(spec, fields),
        program=expressions.compile(fields),
        ref_program=expressions.compile(refs) if refs else None,
    )


_compiled: dict[tuple[str, str, str], SourceMapping] = {}


def stream_mapping(
    manifest: ConnectorManifest, spec: StreamSpec, overrides: dict[str, str] | None = None
) -> SourceMapping:
    """Compiled once per process and version."""
    version = mapping_version(spec, {**spec.fields, **(overrides or {})})
    key = (manifest.key, spec.name, version)
    if key not in _compiled:
        _compiled[key] = compile_mapping(spec, overrides)
    return _compiled[key]
