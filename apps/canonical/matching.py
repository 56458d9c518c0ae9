"""Recognizing a system's new records as ones we know: candidates from an index, then points from declared rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from apps.canonical.scoring import DEFAULTS, RULES, Score, Subject, Thresholds, score
from apps.core.bulk import fetch_rows

# A key that so many records share (a mail provider, “Test”) tells nothing about any of them.
TOO_COMMON = 30
MAX_QUESTIONS = 3
# For so few the planner takes the index by itself.
FEW_KEYS = 20
# A record that this system knows under another id already is no candidate: two ids in one system are two things.
# Within the first part only the index of match keys can help. Left to itself, and to the statistics of a table that is
# being filled, the planner compares every key with every record of the environment; for the same reason references
# are looked up one by one and not joined.
_CANDIDATES = """
WITH found AS MATERIALIZED (
    SELECT id, environment_id, entity, match_keys FROM canonical_canonicalrecord WHERE match_keys && %s::varchar[])
SELECT record.id, record.match_keys FROM found record
WHERE record.environment_id = %s AND record.entity = %s
  AND (
    SELECT xref.id FROM canonical_crossreference xref
    WHERE xref.record_id = record.id AND xref.connection_id = %s AND xref.object_name = %s LIMIT 1) IS NULL
"""
_BY_INDEX = "SELECT set_config('enable_seqscan', %s, true)"
_POLICY = """
SELECT merge_score, ask_score, weights, disabled FROM canonical_matchpolicy
WHERE entity = %s AND owner_key IN (%s, '') ORDER BY owner_key DESC LIMIT 1
"""


class Doubt(NamedTuple):
    """A known record that may be the same thing, and how sure the rules are."""

    record_id: UUID
    score: Score


@dataclass
class Verdict:
    """`matched`: {external id: the record it is}. `doubts`: those a person has to be asked about, the likeliest first."""

    matched: dict[str, UUID] = field(default_factory=dict)
    doubts: dict[str, list[Doubt]] = field(default_factory=dict)


def find_candidates(
    *, environment_id: UUID, entity: str, connection_id: UUID, object_name: str, keys: Mapping[str, list[str]]
) -> dict[str, set[UUID]]:
    """{external id: known records that share a key with it}, for a page of new ids with one statement."""
    wanted = sorted({key for found in keys.values() for key in found}) if entity in RULES else []
    if not wanted:
        return {}
    owners: dict[str, set[UUID]] = defaultdict(set)
    for record_id, record_keys in _candidates([wanted, environment_id, entity, connection_id, object_name]):
        for key in record_keys:
            owners[key].add(record_id)
    if not owners:
        return {}
    found = {}
    for external_id, own_keys in keys.items():
        candidates = {c for key in own_keys if len(owners[key]) <= TOO_COMMON for c in owners[key]}
        if candidates:
            found[external_id] = candidates
    return found


def decide(
    entity: str,
    new: Mapping[str, Subject],
    candidates: Mapping[str, set[UUID]],
    known: Mapping[UUID, Subject],
    thresholds: Thresholds | None = None,
) -> Verdict:
    """Who is who: one clear winner is taken, several or a doubtful one are asked about, the rest is new.

    The first of several that claim the same record gets it, as if they had come on different pages; the others are
    two ids in one system, and therefore two things.
    """
    used = thresholds or DEFAULTS[entity]
    verdict, taken = Verdict(), set[UUID]()
    for external_id, ids in candidates.items():
        scored = [Doubt(i, score(entity, new[external_id], known[i], used)) for i in ids - taken if i in known]
        likely = sorted((d for d in scored if d.score.points >= used.ask), key=_by_score)
        clear = [doubt for doubt in likely if doubt.score.points >= used.merge]
        if len(clear) == 1:
            verdict.matched[external_id] = clear[0].record_id
            taken.add(clear[0].record_id)
        elif likely:
            verdict.doubts[external_id] = likely[:MAX_QUESTIONS]
    return verdict


def thresholds_of(entity: str, customer_id: UUID) -> Thresholds:
    """The customer's own, else the partner's, else as shipped."""
    rows = fetch_rows(_POLICY, [entity, f"customer:{customer_id}"])
    if not rows:
        return DEFAULTS[entity]
    merge, ask, weights, disabled = rows[0]
    return Thresholds(merge, ask, _as_weights(weights), frozenset(disabled))


def _as_weights(value: Any) -> dict[str, int]:
    found: dict[str, int] = value if isinstance(value, dict) else orjson.loads(value)
    return found


def _by_score(doubt: Doubt) -> tuple[int, str]:
    return -doubt.score.points, str(doubt.record_id)


def _candidates(parameters: list[Any]) -> list[tuple[Any, ...]]:
    if len(parameters[0]) <= FEW_KEYS:
        return fetch_rows(_CANDIDATES, parameters)
    fetch_rows(_BY_INDEX, ["off"])
    found = fetch_rows(_CANDIDATES, parameters)
    fetch_rows(_BY_INDEX, ["on"])
    return found
