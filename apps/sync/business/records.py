"""Finding the records that an input names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.canonical.workspace import State, Workspace
from apps.core.bulk import fetch_rows
from apps.core.ids import MalformedId, decode_id
from apps.sync.business.outcome import UnableToCall

_BY_FIELD = """
SELECT id FROM canonical_canonicalrecord
WHERE environment_id = %s AND entity = %s AND lower(data->>%s) = lower(%s) ORDER BY id LIMIT 1
"""
_VIA = """
SELECT invoice.id FROM canonical_canonicalrecord invoice
JOIN canonical_canonicallink billed ON billed.source_id = invoice.id AND billed.name = 'project'
JOIN canonical_canonicallink sold ON sold.source_id = billed.target_id AND sold.name = 'opportunity'
WHERE sold.target_id = %s AND invoice.entity = 'invoice'
ORDER BY invoice.occurred_on NULLS FIRST, invoice.created_at, invoice.id
"""


def find_named(workspace: Workspace, value: str | None, entity: str) -> State | None:
    """The record of an id; None without one. Raises UnableToCall when there is no such record."""
    if value is None:
        return None
    record_id = _decoded(value, entity)
    workspace.load([record_id])
    found = workspace.find(record_id)
    if found is None or found.entity != entity:
        raise UnableToCall(f"There is no such {entity.replace('_', ' ')}.", field=entity)
    return found


def _decoded(value: str, entity: str) -> UUID:
    try:
        return decode_id("rec", value) if value.startswith("rec_") else UUID(value)
    except (MalformedId, ValueError) as error:
        raise UnableToCall(f"There is no such {entity.replace('_', ' ')}.", field=entity) from error


def find_by(workspace: Workspace, entity: str, field: str, value: Any) -> State | None:
    """The first record whose field has the value, whatever its case."""
    if not value:
        return None
    rows = fetch_rows(_BY_FIELD, [workspace.environment.pk, entity, field, str(value)])
    if not rows:
        return None
    workspace.load([rows[0][0]])
    return workspace.find(rows[0][0])


def invoices_of_deal(workspace: Workspace, opportunity_id: UUID) -> list[State]:
    """Those of the deal's projects, oldest first."""
    ids = [row[0] for row in fetch_rows(_VIA, [opportunity_id])]
    workspace.load(ids)
    return [state for state in map(workspace.find, ids) if state]
