"""What a record was to be written as, named and ordered as people know it."""

from __future__ import annotations

from typing import Any

from apps.connectors.registry import UnknownVendor, get_manifest
from apps.connectors.sdk.entities import ENTITIES, in_order
from apps.connectors.sdk.manifest import SinkSpec, StreamSpec
from apps.sync.engine import invoiced_time
from apps.sync.engine.payload import SinkMapping
from apps.sync.models import RecordFailure

LINKS = invoiced_time.LINKS


def object_label(failure: RecordFailure) -> str:
    """What the system's object is called: “Project tasks” for `project_tasks`."""
    spec = _spec_of(failure)
    words = failure.object_name.replace("_", " ")
    return spec.label if spec else words[:1].upper() + words[1:]


def is_ours(failure: RecordFailure) -> bool:
    """Whether the payload holds fields of our vocabulary, of what nobody wrote anywhere, and not the system's."""
    return failure.object_name == invoiced_time.OBJECT


def ordered_payload(failure: RecordFailure) -> dict[str, Any]:
    """As the vocabulary lists what each field is made of, the rest last by name: the database keeps no order."""
    payload = failure.payload or {}
    if is_ours(failure):
        return in_order("time_entry", payload)
    spec = _spec_of(failure)
    if not isinstance(spec, SinkSpec):
        return dict(sorted(payload.items()))
    origins = SinkMapping(get_manifest(failure.connection.vendor), spec).origins
    known = [*ENTITIES[spec.entity].__struct_fields__, *(f"@{name}" for name in spec.refs)]
    places = {
        name: min((known.index(origin) for origin in names if origin in known), default=len(known))
        for name, names in origins.items()
    }
    names = sorted(payload, key=lambda name: (places.get(name, len(known)), name))
    return {name: payload[name] for name in names}


def _spec_of(failure: RecordFailure) -> SinkSpec | StreamSpec | None:
    try:
        manifest = get_manifest(failure.connection.vendor)
    except UnknownVendor:
        return None
    objects: tuple[SinkSpec | StreamSpec, ...] = manifest.sinks if failure.direction == "write" else manifest.streams
    return next((spec for spec in objects if spec.name == failure.object_name), None)
