"""Recognizing a system's record as one we know: by exact, unambiguous keys only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.core.bulk import fetch_rows

TAX = "tax:"
# A record that this system knows under another id already is no candidate: two ids in one system are two things.
# Within the first part only the index of match keys can help. Left to itself, and to the statistics of a table that is
# being filled, the planner compares every key with every record of the environment.
_CANDIDATES = """
WITH found AS MATERIALIZED (
    SELECT id, environment_id, entity, match_keys FROM canonical_canonicalrecord WHERE match_keys && %s::varchar[])
SELECT record.id, record.match_keys FROM found record
WHERE record.environment_id = %s AND record.entity = %s
  AND NOT EXISTS (
    SELECT 1 FROM canonical_crossreference xref
    WHERE xref.record_id = record.id AND xref.connection_id = %s AND xref.object_name = %s)
"""
_BY_INDEX = "SELECT set_config('enable_seqscan', %s, true)"


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
    for record_id, record_keys in _candidates([wanted, environment_id, entity, connection_id, object_name]):
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


def _candidates(parameters: list[Any]) -> list[tuple[Any, ...]]:
    fetch_rows(_BY_INDEX, ["off"])
    found = fetch_rows(_CANDIDATES, parameters)
    fetch_rows(_BY_INDEX, ["on"])
    return found
