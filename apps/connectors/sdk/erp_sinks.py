"""What the sinks of accounting systems have in common, as their manifests declare it."""

from __future__ import annotations

from typing import Any

from apps.connectors.sdk.manifest import Resolve, SinkSpec

# Positions of a document: canonical lines as the sinks of documents take them.
DOCUMENT_LINES = (
    'record.lines.map(l, {"description": l.description, "quantity": l.quantity, "unit_price": decimal(l.unit_price)})'
)


def marked_sink(*, name: str, **declared: Any) -> SinkSpec:
    """A sink beside the stream of its name, whose creates carry a mark of ours that the system keeps unique."""
    return SinkSpec(name=name, stream=name, resolve=Resolve.EXTERNAL_ID, **declared)
