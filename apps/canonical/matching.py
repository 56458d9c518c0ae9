"""Recognizing a system's record as one we know: by exact, unambiguous keys only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from apps.core.bulk import fetch_rows

TAX = "tax:"
# A record that this system knows under another id already is no candidate: two ids in one system are two things.
_CANDIDATES = """
SELECT record.id, record.match_keys FROM canonical_canonicalrecord record
WHERE record.match_keys && %s::varchar[] AND record.environment_id = %s AND record.entity = %s
  AND NOT EXISTS (
    SELECT 1 FROM canonical_crossreference xref
    WHERE xref.record_id = record.id AND xref.connection_id = %s AND xref.object_name = %s)
"""


def match_records(
    *, environment_id: UUID, entity: str, connection_id: UUID, object_name: str, keys: Mapping[str, list[str]]
) -> dict[str, UUID]:
    """{external id: record} for the new ids (with their match keys) that one known record alone answers to.

    The first of several that claim the same record gets it, as if they had come on different pages.
    """
    wanted = sorted({key for found in keys.values() for key in found})
    if not wanted:
        return {}
    owners: dict[str, set[UUID]] = defaultdict(set)
    tax: dict[UUID, str] = {}
    for record_id, record_keys in fetch_rows(_CANDIDATES, [wanted, environment_id, entity, connection_id, object_name]):
        for key in record_keys:
            owners[key].add(record_id)
            if key.startswith(TAX):
                tax[record_id] = key
    matched: dict[str, UUID] = {}
    for external_id, own_keys in keys.items():
        own_tax = next((key for key in own_keys if key.startswith(TAX)), "")
        candidates = {
            candidate
            for key in own_keys
            for candidate in owners[key]
            if not own_tax or tax.get(candidate, own_tax) == own_tax  # two tax numbers are two companies
        }
        if len(candidates) == 1 and not candidates & set(matched.values()):
            matched[external_id] = candidates.pop()
    return matched
