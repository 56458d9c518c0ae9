"""Which stream or sink of a connector a definition means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from apps.connectors.sdk.manifest import ConnectorManifest, SinkSpec, StreamSpec
from apps.flows.definition import FlowSpec, MappingSpec, ReadSpec, RuleSpec, WriteSpec


class NotOffered(LookupError):
    """The connector has no such object; the message names it for a person."""


def domains_of(manifest: ConnectorManifest) -> set[str]:
    return {str(manifest.domain), *map(str, manifest.also_domains)}


def stream_of(manifest: ConnectorManifest, read: ReadSpec) -> StreamSpec:
    """Raises NotOffered."""
    wanted = [s for s in manifest.streams if (s.name == read.stream if read.stream else s.entity == read.entity)]
    if not wanted:
        raise NotOffered(f"{manifest.name} offers no {(read.stream or read.entity).replace('_', ' ')} to read.")
    return wanted[0]


def sink_of(manifest: ConnectorManifest, write: WriteSpec, entity: str) -> SinkSpec:
    """Raises NotOffered."""
    found = sink_for(manifest, write.entity or entity, write.sink)
    if found is None:
        raise NotOffered(f"{manifest.name} takes no {(write.sink or entity).replace('_', ' ')}.")
    return found


def sink_for(manifest: ConnectorManifest, entity: str, name: str = "") -> SinkSpec | None:
    wanted = [s for s in manifest.sinks if (s.name == name if name else s.entity == entity)]
    return wanted[0] if wanted else None


def object_of(manifest: ConnectorManifest, name: str) -> str:
    """The stream that stands for an object named by its sink or its stream: cross-references go by it."""
    return next((s.stream for s in manifest.sinks if s.name == name), name)


def with_mappings(manifest: ConnectorManifest, mappings: Iterable[MappingSpec]) -> ConnectorManifest:
    """The connector as an integration uses it: its own mappings with what was changed of them."""
    changed = {(mapping.direction, mapping.object_name): mapping.fields for mapping in mappings}
    if not changed:
        return manifest
    return msgspec.structs.replace(
        manifest,
        streams=tuple(_stream(spec, changed.get(("read", spec.name))) for spec in manifest.streams),
        sinks=tuple(_sink(spec, changed.get(("write", spec.name))) for spec in manifest.sinks),
    )


def _stream(spec: StreamSpec, fields: dict[str, str] | None) -> StreamSpec:
    return msgspec.structs.replace(spec, fields=merged(spec.fields, fields)) if fields else spec


def _sink(spec: SinkSpec, fields: dict[str, str] | None) -> SinkSpec:
    if not fields:
        return spec
    return msgspec.structs.replace(spec, fields=merged(spec.fields, fields), own_fields=spec.fields)


def merged(below: dict[str, str], above: dict[str, str]) -> dict[str, str]:
    """One layer of a mapping over another; what the upper one leaves out is gone."""
    return {name: source for name, source in {**below, **above}.items() if source}


def without_absent(spec: FlowSpec, manifests: Mapping[str, ConnectorManifest]) -> FlowSpec:
    """The flow without optional parts that its systems do not offer. Rules keep their positions: intents point at them."""
    reads = [read for read in spec.reads if not read.optional or offers(manifests[read.role], read)]
    rules = [msgspec.structs.replace(rule, when="false") if is_absent(rule, manifests) else rule for rule in spec.rules]
    return msgspec.structs.replace(spec, reads=reads, rules=rules)


def offers(manifest: ConnectorManifest, read: ReadSpec) -> bool:
    try:
        stream_of(manifest, read)
    except NotOffered:
        return False
    return True


def is_absent(rule: RuleSpec, manifests: Mapping[str, ConnectorManifest]) -> bool:
    """An optional write that its system does not take."""
    write = rule.write
    if write is None or not write.optional:
        return False
    return sink_for(manifests[write.role], write.entity or rule.on, write.sink) is None
