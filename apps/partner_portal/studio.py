"""The mapping studio's pages as the view shows them: rows of fields, sources with their samples, changes in words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from apps.connectors.sdk.entities import ENTITIES
from apps.connectors.sdk.fields import FieldDescription, value_at
from apps.connectors.services import ObjectShape, discover_object
from apps.core import expressions
from apps.core.actor import Actor
from apps.core.expressions.library import LIBRARY
from apps.flows.definition import MappingSpec
from apps.flows.layers import FieldSource, MappedObject, place_of
from apps.flows.models import Integration
from apps.flows.preview import Outcome, Sample, Target, outcomes, samples_of, targets_of

LAYER_WORDS = {
    "connector": "Connector", "template": "Template", "partner": "All your customers", "customer": "This customer",
}  # fmt: skip
LONGEST_VALUE = 120
PREFIX = "map-"
PLAIN_NAME = re.compile(r"^[A-Za-z_]\w*$")
LOOKUP = re.compile(r"^\s*lookup\(\s*(\{.*\})\s*,\s*(.+)\s*,\s*(\"(?:[^\"\\]|\\.)*\"|null)\s*\)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One field of the target with what is mapped to it and what that gives."""

    target: Target
    expression: str
    source: FieldSource | None
    outcomes: list[Outcome] = field(default_factory=list)
    problem: str = ""

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.target.name}"

    @property
    def element_id(self) -> str:
        return "preview-" + re.sub(r"\W", "-", self.target.name)

    @property
    def layer_label(self) -> str:
        return LAYER_WORDS[self.source.layer] if self.source else "Not mapped"

    @property
    def is_changed(self) -> bool:
        return self.source is not None and self.source.layer in ("partner", "customer")


@dataclass(frozen=True, slots=True)
class SourceField:
    """Something to map from: `expression` is what to write; `samples` are its values in the sample records."""

    label: str
    expression: str
    kind: str
    samples: list[str]


@dataclass(frozen=True)
class Workbench:
    """Everything the editor of one object shows."""

    mapped: MappedObject
    shape: ObjectShape
    targets: list[Target]
    samples: list[Sample]

    def rows(self, given: dict[str, str] | None = None) -> list[Row]:
        """Every target field; `given` expressions stand in for what is kept."""
        sources = {source.name: source for source in self.mapped.sources()}
        known = [target.name for target in self.targets]
        typed = [Target(name, name, "", is_known=False) for name in sources if name not in known]
        return [self.row(target, sources.get(target.name), given) for target in [*self.targets, *typed]]

    def row(self, target: Target, source: FieldSource | None, given: dict[str, str] | None = None) -> Row:
        kept = source.expression if source else ""
        expression = (given or {}).get(target.name, kept)
        if not expression.strip():
            return Row(target, "", source)
        try:
            return Row(target, expression, source, outcomes(self.mapped, target, expression, self.samples))
        except expressions.ExpressionError as error:
            return Row(target, expression, source, problem=f"{error.message[:1].upper()}{error.message[1:]}.")

    def target(self, name: str) -> Target:
        return next((t for t in self.targets if t.name == name), Target(name, name, "", is_known=False))

    def source_fields(self) -> list[SourceField]:
        if self.mapped.direction == "read":
            return [_vendors(found, self.samples) for found in self.shape.fields if found.path]
        names = list(dict.fromkeys(name for sample in self.samples for name in sample.context["record"]))
        own = [_canonical("record", name, self.samples) for name in names or _names(self.mapped)]
        refs = [
            _canonical("refs", name, self.samples) for name in self.mapped.manifest.sink(self.mapped.object_name).refs
        ]
        return [*own, *refs]


def open_workbench(
    actor: Actor, integration: Integration, mapped: MappedObject, *, is_fresh: bool = False
) -> Workbench:
    """Asks the system, unless it was asked minutes ago. Values are shown to those who may see payloads."""
    shape = discover_object(actor=actor, connection=mapped.connection, stream=mapped.stream_name, is_fresh=is_fresh)
    samples = samples_of(mapped, integration, shape) if actor.can("payloads.view") else []
    return Workbench(mapped, shape, targets_of(mapped, integration, shape), samples)


def changed_fields(mapped: MappedObject, posted: dict[str, str]) -> dict[str, str | None]:
    """What differs from what is kept: an expression, "" to leave out, None where it says what the layer below says."""
    sources = {source.name: source for source in mapped.sources()}
    found: dict[str, str | None] = {}
    for name, given in posted.items():
        source = sources.get(name)
        expression = given.strip()
        if expression == (source.expression.strip() if source else ""):
            continue
        below = source.below if source and source.layer in ("partner", "customer") else None
        found[name] = None if below is not None and expression == below.strip() else expression
    return found


def function_help() -> list[tuple[str, str]]:
    """The library, each function with its first sentence."""
    return [(name, (function.__doc__ or "").strip().split("\n")[0]) for name, function in sorted(LIBRARY.items())]


def read_lookup(expression: str) -> tuple[dict[str, str], str, str] | None:
    """The table, the value and the default of an expression that is one value map with texts in it."""
    match = LOOKUP.match(expression)
    if match is None:
        return None
    try:
        table = json.loads(match.group(1))
        default = json.loads(match.group(3))
    except ValueError:
        return None
    plain = isinstance(table, dict) and all(isinstance(value, str) for value in table.values())
    return (table, match.group(2).strip(), default or "") if plain else None


def write_lookup(table: dict[str, str], value: str, default: str) -> str:
    pairs = ", ".join(f"{_quoted(key)}: {_quoted(to)}" for key, to in table.items())
    return f"lookup({{{pairs}}}, {value}, {_quoted(default) if default else 'null'})"


def mapping_changes(before: list[MappingSpec], after: list[MappingSpec]) -> list[tuple[str, dict[str, list[Any]]]]:
    """What publishing would change, by object: {field: [expression now, then]}; null is the connector's own."""
    old = {place_of(mapping): mapping.fields for mapping in before}
    new = {place_of(mapping): mapping.fields for mapping in after}
    found = []
    for place in sorted({*old, *new}):
        was, now = old.get(place, {}), new.get(place, {})
        names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
        if names:
            role, direction, name = place
            label = f"{role.upper()} · {name.replace('_', ' ')} · {'read' if direction == 'read' else 'written'}"
            found.append((label, {field: [_told(was.get(field)), _told(now.get(field))] for field in names}))
    return found


def _told(expression: str | None) -> str:
    if expression is None:
        return "as the connector does"
    return expression or "left out"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _names(mapped: MappedObject) -> list[str]:
    return list(ENTITIES[mapped.entity].__struct_fields__)


def _vendors(found: FieldDescription, samples: list[Sample]) -> SourceField:
    values = [value_at(sample.context["record"], found.path) for sample in samples]
    parts = found.path.split(".")
    plain = len(parts) == 1 and PLAIN_NAME.match(parts[0])
    expression = f"record.{found.path}" if plain and all(v is not None for v in values) and values else ""
    return SourceField(
        found.label or found.path, expression or f'get(record, "{found.path}")', found.kind, [short(v) for v in values]
    )


def _canonical(variable: str, name: str, samples: list[Sample]) -> SourceField:
    values = [sample.context[variable].get(name) for sample in samples]
    return SourceField(name.replace("_", " "), f"{variable}.{name}", "", [short(value) for value in values])


def short(value: Any) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
