"""What a mapping makes of sample records, and whether its target would take that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from apps.canonical.custom_fields import declared_fields
from apps.canonical.models import CanonicalRecord, CrossReference
from apps.connectors.sdk.entities import CUSTOM_TYPES, ENTITIES
from apps.connectors.sdk.fields import FieldDescription
from apps.connectors.services import ObjectShape
from apps.core import expressions
from apps.flows.binding import object_of
from apps.flows.layers import MappedObject
from apps.flows.models import Integration

SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """A record as expressions see it."""

    title: str
    context: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A field that may be mapped. `is_known`: somebody told of it; a vendor's field may also be typed in."""

    name: str
    label: str
    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one sample gives for one field: a value, or why the target would refuse it."""

    title: str
    value: Any
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that stands against publishing, in words; `count` samples show it (0: it holds for all)."""

    field: str
    message: str
    count: int = 0


def targets_of(mapped: MappedObject, integration: Integration, shape: ObjectShape) -> list[Target]:
    """The fields of the side that is written to, required ones first on the canonical side as declared."""
    if mapped.direction == "read":
        own = [_canonical(field) for field in msgspec.structs.fields(ENTITIES[mapped.entity])]
        declared = declared_fields(integration.customer_id, mapped.entity)
        return [*own, *(Target(f.name, f.label, f.kind) for f in declared if f.archived_at is None)]
    told = {field.target: _vendors(field) for field in shape.fields if field.target}
    rest = [name for name in mapped.connector if name not in told]
    return [*(Target(name, name, "", is_known=True) for name in rest), *told.values()]


def samples_of(mapped: MappedObject, integration: Integration, shape: ObjectShape) -> list[Sample]:
    """The vendor's records for what is read, canonical ones for what is written."""
    if mapped.direction == "read":
        return [Sample(_title(s.data, s.external_id), {"record": s.data}) for s in shape.samples]
    own = CanonicalRecord.objects.filter(environment_id=integration.environment_id, entity=mapped.entity)
    return [Sample(record.title, _written(mapped, integration, record)) for record in own.order_by("-id")[:SAMPLES]]


def _written(mapped: MappedObject, integration: Integration, record: CanonicalRecord) -> dict[str, Any]:
    names = [field.name for field in msgspec.structs.fields(ENTITIES[mapped.entity])]
    names += [field.name for field in declared_fields(integration.customer_id, mapped.entity)]
    return {
        "record": {**dict.fromkeys(names), **record.data},
        "refs": _refs(mapped, record),
        "settings": integration.settings,
        "connection": mapped.connection.settings,
    }


def _refs(mapped: MappedObject, record: CanonicalRecord) -> dict[str, str | None]:
    """External ids of the linked records in the target, as far as they are there."""
    spec = mapped.manifest.sink(mapped.object_name)
    links = dict(record.links.values_list("name", "target_id"))
    known = CrossReference.objects.filter(connection=mapped.connection, record_id__in=links.values(), deleted_at=None)
    ids = {(found.record_id, found.object_name): found.external_id for found in known}
    streams = {name: object_of(mapped.manifest, target) for name, target in spec.refs.items()}
    return {name: ids.get((links[name], stream)) if name in links else None for name, stream in streams.items()}


def outcomes(mapped: MappedObject, target: Target, expression: str, samples: list[Sample]) -> list[Outcome]:
    """What each sample gives. Raises ExpressionError when the expression itself is wrong."""
    program = expressions.compile({target.name: expression})
    return [_outcome(mapped, target, program, sample) for sample in samples]


def _outcome(mapped: MappedObject, target: Target, program: expressions.MappingProgram, sample: Sample) -> Outcome:
    try:
        value = program.evaluate(sample.context)[target.name]
    except expressions.ExpressionError as error:
        return Outcome(sample.title, None, f"{error.message[:1].upper()}{error.message[1:]}.")
    return Outcome(sample.title, value, refusal(mapped, target, value))


def refusal(mapped: MappedObject, target: Target, value: Any) -> str:
    """Why the target would not take the value; "" when it would."""
    if value is None or value == "":
        return "Nothing comes out, and the target requires it." if target.required else ""
    if mapped.direction == "read":
        return _canonical_refusal(mapped.entity, target, value)
    if target.choices and str(value) not in target.choices:
        return f"{value} is none of its choices."
    fits = FITS.get(target.kind)
    return f"It takes {WORDS[target.kind]}." if fits and not isinstance(value, fits) else ""


def findings(mapped: MappedObject, targets: list[Target], samples: list[Sample]) -> list[Finding]:
    """All that stands against this mapping: required fields without a source, unknown fields, samples refused."""
    return list(_findings(mapped, targets, samples, mapped.resolved()))


def _findings(
    mapped: MappedObject, targets: list[Target], samples: list[Sample], fields: Mapping[str, str]
) -> Iterator[Finding]:
    known = {target.name: target for target in targets}
    for target in targets:
        if target.required and target.name not in fields:
            yield Finding(target.name, "It is required and nothing is mapped to it.")
    is_told = any(target.is_known and target.kind for target in targets)
    for name, expression in fields.items():
        if name not in known and is_told:
            yield Finding(name, f"{mapped.manifest.name} shows no such field.")
        try:
            refused = [
                o for o in outcomes(mapped, known.get(name, Target(name, name, "")), expression, samples) if o.problem
            ]
        except expressions.ExpressionError as error:
            yield Finding(name, error.message)
            continue
        if refused:
            yield Finding(name, refused[0].problem, len(refused))


FITS: dict[str, type | tuple[type, ...]] = {
    "integer": (int, str), "number": (int, float, str), "boolean": (bool, str), "list": list,
}  # fmt: skip
WORDS = {
    "integer": "a whole number", "number": "a number", "boolean": "true or false", "list": "a list",
    "money": 'money, as money("12.34", "EUR") makes it', "date": "a date, as date(…) makes it",
}  # fmt: skip


def _canonical(field: msgspec.structs.FieldInfo) -> Target:
    schema = msgspec.json.schema(field.type)
    options = schema.get("anyOf", [schema])
    choices = next((tuple(map(str, option["enum"])) for option in options if "enum" in option), ())
    return Target(field.name, field.name.replace("_", " "), _kind(options), required=field.required, choices=choices)


def _kind(options: list[dict[str, Any]]) -> str:
    found = next((option for option in options if option.get("type") != "null"), {})
    if "$ref" in found:
        return "money"
    kind = str(found.get("type", "text"))
    return {"string": str(found.get("format", "text")), "array": "list"}.get(kind, kind)


def _vendors(field: FieldDescription) -> Target:
    choices = tuple(choice.value for choice in field.choices)
    return Target(field.target, field.label or field.target, field.kind, required=field.required, choices=choices)


def _canonical_refusal(entity: str, target: Target, value: Any) -> str:
    known = {field.name: field.type for field in msgspec.structs.fields(ENTITIES[entity])}
    kind = known.get(target.name, CUSTOM_TYPES.get(target.kind, Any))
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError:
        if target.choices:
            return f"{value} is none of its choices: {', '.join(target.choices)}."
        return f"It takes {WORDS.get(target.kind, 'a text')}."
    return ""


def _title(data: dict[str, Any], external_id: str) -> str:
    inner = data.get("properties")
    for place in (data, inner if isinstance(inner, dict) else {}):
        for name in ("name", "Name", "dealname", "title", "subject", "number"):
            if isinstance(place.get(name), str) and place[name]:
                return str(place[name])[:80]
    return external_id
