"""Vendor's JSON → canonical fields and references, by the manifest's expressions or the flow's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from apps.connectors.sdk.manifest import ConnectorManifest, StreamSpec
from apps.connectors.sdk.types import SourceRecord
from apps.core import expressions
from apps.core.expressions import ExpressionError, MappingProgram
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.hashing import mapping_version, record_hash
from apps.sync.models import ErrorClass

UNKEEPABLE = "It holds a number too large, a null character, or lists nested too deeply to be kept."
LARGEST = 2**63 - 1
# Behind an even number of backslashes the next one is none of theirs: otherwise somebody wrote these six signs.
_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True)
class SourceMapping:
    """A stream's compiled mapping. `refs` of a mapped record are {name: (stream, external id)}."""

    spec: StreamSpec
    fields: tuple[str, ...]
    version: str
    program: MappingProgram
    ref_program: MappingProgram | None

    def hash(self, record: SourceRecord) -> str:
        """Raises RecordProblem for a record that could be read as JSON and cannot be written as such."""
        try:
            return record_hash(record, self.version)
        except TypeError as error:
            raise RecordProblem(ErrorClass.VALIDATION, UNKEEPABLE, code="unkeepable") from error

    def apply(self, record: SourceRecord, known_hash: str = "") -> MappedRecord:
        """Raises RecordProblem when the record came broken, or an expression fails on it."""
        if record.problem:
            raise RecordProblem(ErrorClass.VALIDATION, record.problem, code="unreadable")
        context = {"record": record.data}
        try:
            values = self.program.evaluate(context)
            refs = self.ref_program.evaluate(context) if self.ref_program else {}
        except ExpressionError as error:
            raise RecordProblem(ErrorClass.MAPPING, str(error), code=error.field) from error
        if wrong := _unkeepable(values) or _unkeepable(refs):
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


def _unkeepable(values: dict[str, Any]) -> str:
    """The field whose value the database does not hold; "" when it holds them all."""
    for name, value in values.items():
        kind = value.__class__
        if kind is str:
            is_kept = "\x00" not in value
        elif kind is int:
            is_kept = -LARGEST <= value <= LARGEST
        else:
            is_kept = kind is bool or kind is float or value is None or _is_json(value)
        if not is_kept:
            return name
    return ""


def _is_json(value: Any) -> bool:
    """Nested neither too deeply nor with numbers too large, and without null characters."""
    try:
        text = orjson.dumps(value)
    except TypeError:
        return False
    return b"\\u0000" not in text or not _NULL.search(text)


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
