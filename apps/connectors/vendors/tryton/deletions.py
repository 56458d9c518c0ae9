"""What was deleted in Tryton: its log of events keeps a line for each, and forgets on reading of what.

`ir.model.log` holds "party.party,57" in the column `resource`; read, the field is empty once the record is gone. But the
column can still be searched, so its digits are asked for: four questions for each place find a whole page of ids, each
asking which lines have a digit with a certain bit there.
"""

from __future__ import annotations

from typing import Any

from apps.connectors.vendors.tryton.api import Domain, TrytonApi

LOG = "ir.model.log"
PAGE = 200
BITS = (1, 2, 4, 8)


def newest_line(api: TrytonApi) -> int:
    """Number of the last deletion Tryton knows of, in any model; 0 before the first."""
    rows = api.search(LOG, [["event", "=", "delete"]], fields=["id"], order=[["id", "DESC"]], limit=1)
    return int(rows[0]["id"]) if rows else 0


def deletions(api: TrytonApi, model: str, *, after: int, until: int) -> list[tuple[int, str]]:
    """Line and record id of deletions in `model`, oldest first, at most `PAGE`; lines in (after, until]."""
    if until <= after:
        return []
    within: Domain = [["event", "=", "delete"], ["id", ">", after], ["id", "<=", until]]
    lines = _lines(api, [*within, _like(model, "%")], limit=PAGE)
    if not lines:
        return []
    page: Domain = [["id", "in", lines]]
    digits = dict.fromkeys(lines, "")
    place = "_"
    while longer := set(_lines(api, [*page, _like(model, f"{place}%")])):
        found = [set(_lines(api, [*page, _one_of(model, place, bit)])) for bit in BITS]
        for line in longer:
            digits[line] += str(sum(bit for bit, hits in zip(BITS, found, strict=True) if line in hits))
        place += "_"
    return list(digits.items())


def _lines(api: TrytonApi, domain: Domain, **options: Any) -> list[int]:
    return [row["id"] for row in api.search(LOG, domain, fields=["id"], order=[["id", "ASC"]], **options)]


def _one_of(model: str, place: str, bit: int) -> Domain:
    """The last character of `place` is a digit that has `bit`."""
    digits = [digit for digit in range(10) if digit & bit]
    return ["OR", *([_like(model, f"{place[:-1]}{digit}%")] for digit in digits)]


def _like(model: str, rest: str) -> list[str]:
    return ["resource", "like", f"{model.replace('_', chr(92) + '_')},{rest}"]
