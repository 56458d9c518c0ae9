"""Which stream or sink of a connector a definition means."""

from __future__ import annotations

from apps.connectors.sdk.manifest import ConnectorManifest, SinkSpec, StreamSpec
from apps.flows.definition import ReadSpec, WriteSpec


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
