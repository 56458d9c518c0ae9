"""Where each field of a mapping comes from: the connector, under the template, under the partner, under the customer.

One object of one system has one mapping in an integration, whichever of its flows meets it: when it is read, fetched
because another record refers to it, or read back after a write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import msgspec

from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.entities import REFERENCES
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.flows.binding import NotOffered, is_absent, merged, offers, sink_for, sink_of, stream_of
from apps.flows.definition import Direction, FlowSpec, MappingSpec, TemplateSpec, parse_flow, parse_template
from apps.flows.models import Flow, Integration, MappingOverride, RoleBinding

Layer = Literal["connector", "template", "partner", "customer"]
Fields = dict[str, str]
Place = tuple[str, Direction, str]  # role, direction, object


@dataclass(frozen=True, slots=True)
class FieldSource:
    """One field of a mapping as it stands, and what a reset would bring back (`below`: None where nothing)."""

    name: str
    expression: str
    layer: Layer
    below: str | None


@dataclass(frozen=True)
class MappedObject:
    """An object that the integration reads or writes in one of its systems, with the layers of its mapping."""

    role: str
    direction: Direction
    object_name: str
    label: str
    entity: str
    connection: Connection
    manifest: ConnectorManifest
    connector: Fields
    template: Fields = field(default_factory=dict)
    partner: Fields = field(default_factory=dict)
    customer: Fields = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return (self.role, self.direction, self.object_name)

    @property
    def stream_name(self) -> str:
        """The stream that shows records of this object."""
        return self.object_name if self.direction == "read" else self.manifest.sink(self.object_name).stream

    def layers(self) -> list[tuple[Layer, Fields]]:
        return [
            ("connector", self.connector), ("template", self.template), ("partner", self.partner),
            ("customer", self.customer),
        ]  # fmt: skip

    def resolved(self) -> Fields:
        """The mapping as it stands: what would be in force if it were published."""
        return merged(self.connector, self.changes())

    def changes(self) -> Fields:
        """What differs from the connector's own; "" is left out."""
        above = {**self.template, **self.partner, **self.customer}
        return {name: source for name, source in above.items() if source != self.connector.get(name, "")}

    def sources(self) -> list[FieldSource]:
        """Every field that any layer speaks of, in the connector's order, then by name."""
        names = {name: None for _, fields in self.layers() for name in fields}
        return [self._source(name) for name in names]

    def _source(self, name: str) -> FieldSource:
        found = [(layer, fields[name]) for layer, fields in self.layers() if name in fields]
        layer, expression = found[-1]
        return FieldSource(name, expression, layer, found[-2][1] if len(found) > 1 else None)

    def spec(self) -> MappingSpec:
        changes = self.changes()
        origins: dict[str, str] = {source.name: source.layer for source in self.sources() if source.name in changes}
        return MappingSpec(
            role=self.role, direction=self.direction, object_name=self.object_name, fields=changes, origins=origins
        )


@dataclass(frozen=True)
class Parts:
    """What the mappings of an integration are made from: flows in force, systems, the customer's layer, the partner's."""

    flows: list[FlowSpec]
    bindings: list[RoleBinding]
    own: dict[Place, Fields]
    partner: dict[tuple[str, Direction, str], Fields]


def parts_of_all(integrations: Sequence[Integration]) -> dict[UUID, Parts]:
    """By integration, with as many queries for a hundred as for one."""
    ids = [integration.pk for integration in integrations]
    partner, own = _partner_layer(), _own_layers(ids)
    flows: dict[UUID, list[FlowSpec]] = {key: [] for key in ids}
    in_force = Flow.objects.filter(integration__in=ids, retired_at=None).exclude(current_version=None)
    for flow in in_force.select_related("current_version").order_by("created_at", "id"):
        if flow.current_version:
            flows[flow.integration_id].append(parse_flow(flow.current_version.definition))
    bindings: dict[UUID, list[RoleBinding]] = {key: [] for key in ids}
    for binding in RoleBinding.objects.filter(integration__in=ids).select_related("connection").order_by("role"):
        bindings[binding.integration_id].append(binding)
    return {key: Parts(flows[key], bindings[key], own.get(key, {}), partner) for key in ids}


def mapped_objects(
    integration: Integration, template: TemplateSpec | None = None, parts: Parts | None = None
) -> list[MappedObject]:
    """All objects that the integration's flows touch, by role, with what is mapped and edited for them.

    `template`: as if it had that one. `parts`: read before, for many.
    """
    parts = parts or parts_of_all([integration])[integration.pk]
    flows = parts.flows if template is None else template.flows
    bindings, own, partner = parts.bindings, parts.own, parts.partner
    found: dict[Place, MappedObject] = {}
    below = template or _template_of(integration)
    layer = _template_layer(below, {b.role: get_manifest(b.connection.vendor) for b in bindings})
    for binding in bindings:
        manifest = get_manifest(binding.connection.vendor)
        for direction, name in _used(flows, binding.role, manifest):
            spec = manifest.stream(name) if direction == "read" else manifest.sink(name)
            place: Place = (binding.role, direction, name)
            found[place] = MappedObject(
                role=binding.role, direction=direction, object_name=name, label=spec.label, entity=spec.entity,
                connection=binding.connection, manifest=manifest, connector=spec.fields,
                template=layer.get(place, {}), partner=partner.get((manifest.key, direction, name), {}),
                customer=own.get(place, {}),
            )  # fmt: skip
    return list(found.values())


def published_mappings(integration: Integration, parts: Parts | None = None) -> list[MappingSpec]:
    """What the integration's flows do now."""
    if parts is not None:
        return parts.flows[0].mappings if parts.flows else []
    for flow in _flows(integration):
        if flow.current_version:
            return parse_flow(flow.current_version.definition).mappings
    return []


def draft_mappings(
    integration: Integration, template: TemplateSpec | None = None, parts: Parts | None = None
) -> list[MappingSpec]:
    """What the flows would do if what is being edited were published; unchanged objects keep their `changed_at`."""
    published = {place_of(mapping): mapping for mapping in published_mappings(integration, parts)}
    found = []
    for spec in (mapped.spec() for mapped in mapped_objects(integration, template, parts)):
        before = published.get(place_of(spec))
        if spec.fields or before:
            found.append(msgspec.structs.replace(spec, changed_at=before.changed_at if before else ""))
    return found


def draft_specs(integration: Integration) -> dict[UUID, FlowSpec]:
    """Every flow as it would be published."""
    mappings = draft_mappings(integration)
    return {
        flow.pk: with_resolved(parse_flow(flow.current_version.definition), mappings)
        for flow in _flows(integration)
        if flow.current_version
    }


def with_resolved(spec: FlowSpec, mappings: list[MappingSpec]) -> FlowSpec:
    """The flow with the integration's mappings; its own (the template's) are in them."""
    reads = [msgspec.structs.replace(read, fields={}) for read in spec.reads]
    return msgspec.structs.replace(spec, reads=reads, mappings=mappings)


def place_of(mapping: MappingSpec) -> Place:
    return (mapping.role, mapping.direction, mapping.object_name)


def as_direction(word: str) -> Direction:
    return "write" if word == "write" else "read"


def differs(before: list[MappingSpec], after: list[MappingSpec]) -> bool:
    return _by_place(before) != _by_place(after)


def _by_place(mappings: Iterable[MappingSpec]) -> dict[Place, Fields]:
    return {place_of(mapping): mapping.fields for mapping in mappings if mapping.fields}


def _flows(integration: Integration) -> Iterable[Flow]:
    return integration.flows.filter(retired_at=None).select_related("current_version").order_by("created_at", "id")


def _used(flows: list[FlowSpec], role: str, manifest: ConnectorManifest) -> list[tuple[Direction, str]]:
    """Streams first: those read, those written to (they are read back), then what is written."""
    sinks = list(dict.fromkeys(name for flow in flows for name in _written(flow, role, manifest)))
    reads = [read for flow in flows for read in flow.reads if read.role == role]
    streams = [stream_of(manifest, read).name for read in reads if not read.optional or offers(manifest, read)]
    streams += [manifest.sink(name).stream for name in sinks]
    return [*(("read", name) for name in dict.fromkeys(streams)), *(("write", name) for name in sinks)]


def _written(flow: FlowSpec, role: str, manifest: ConnectorManifest) -> Iterator[str]:
    for rule in flow.rules:
        if rule.write is None or rule.write.role != role or is_absent(rule, {role: manifest}):
            continue
        yield sink_of(manifest, rule.write, rule.on).name
        for name in rule.write.ensure:
            ensured = sink_for(manifest, REFERENCES[rule.on][name])
            if ensured:
                yield ensured.name


def _own_layers(ids: list[UUID]) -> dict[UUID, dict[Place, Fields]]:
    """The customer's layer by integration and place."""
    own: dict[UUID, dict[Place, Fields]] = {}
    for row in MappingOverride.objects.filter(integration__in=ids).order_by("id"):
        if row.integration_id is not None:
            place = (row.role, as_direction(row.direction), row.object_name)
            own.setdefault(row.integration_id, {}).setdefault(place, {})[row.field] = row.expression
    return own


def _partner_layer() -> dict[tuple[str, Direction, str], Fields]:
    """The partner's layer by vendor and object."""
    partner: dict[tuple[str, Direction, str], Fields] = {}
    for row in MappingOverride.objects.filter(integration=None).order_by("id"):
        partner.setdefault((row.vendor, as_direction(row.direction), row.object_name), {})[row.field] = row.expression
    return partner


def _template_of(integration: Integration) -> TemplateSpec | None:
    definition = integration.template_version.definition
    return parse_template(definition) if definition else None


def _template_layer(template: TemplateSpec | None, manifests: dict[str, ConnectorManifest]) -> dict[Place, Fields]:
    found: dict[Place, Fields] = {}
    for flow in template.flows if template else []:
        for read in flow.reads:
            if not read.fields or read.role not in manifests:
                continue
            try:
                name = stream_of(manifests[read.role], read).name
            except NotOffered:
                continue
            found.setdefault((read.role, "read", name), {}).update(read.fields)
        for mapping in flow.mappings:
            found.setdefault(place_of(mapping), {}).update(mapping.fields)
    return found
