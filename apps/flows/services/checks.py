"""What stands against publishing a mapping, by its targets' fields and by sample records."""

from __future__ import annotations

from apps.connectors.services import discover_object
from apps.core.actor import Actor
from apps.flows.layers import MappedObject, mapped_objects
from apps.flows.models import Integration
from apps.flows.preview import Finding, findings, samples_of, targets_of


def mapping_findings(actor: Actor, integration: Integration) -> list[tuple[MappedObject, Finding]]:
    """Of the objects that somebody changed; the connectors' own mappings are their makers' matter.

    Asks the systems, unless they were asked minutes ago. Values are looked at for people who may see payloads.
    """
    found: list[tuple[MappedObject, Finding]] = []
    for mapped in mapped_objects(integration):
        changed = mapped.changes()
        if changed:
            shape = discover_object(actor=actor, connection=mapped.connection, stream=mapped.stream_name)
            samples = samples_of(mapped, integration, shape) if actor.can("payloads.view") else []
            against = findings(mapped, targets_of(mapped, integration, shape), samples)
            found += [(mapped, finding) for finding in against if finding.field in changed]
    return found
