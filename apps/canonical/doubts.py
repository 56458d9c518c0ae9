"""Which records must not be created in a system yet: it may know them already, and nobody has said."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from apps.canonical.scoring import RULES
from apps.core.bulk import fetch_rows

# Both directions of a pair; the other record's id in the target is what makes the target doubtful.
_HELD = """
SELECT pair.mine, other.title FROM (
    SELECT left_id AS mine, right_id AS theirs FROM canonical_matchquestion
    WHERE left_id = ANY(%(ids)s) AND status IN ('open', 'later')
    UNION ALL
    SELECT right_id, left_id FROM canonical_matchquestion
    WHERE right_id = ANY(%(ids)s) AND status IN ('open', 'later')) pair
JOIN canonical_crossreference xref ON xref.record_id = pair.theirs AND xref.connection_id = %(connection)s
JOIN canonical_canonicalrecord other ON other.id = pair.theirs
WHERE xref.deleted_at IS NULL
"""


def held_back(entity: str, record_ids: Iterable[UUID], connection_id: UUID) -> dict[UUID, str]:
    """{record: title of the record in that system it may be}, for those with an unanswered question."""
    ids = list(record_ids)
    if entity not in RULES or not ids:
        return {}
    return dict(fetch_rows(_HELD, {"ids": ids, "connection": connection_id}))
