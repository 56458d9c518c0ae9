"""Two texts compared line by line, with what surrounds each change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from apps.ui.formatting import noun_text

CONTEXT = 3
MOST_LINES = 4_000
Kind = Literal["same", "added", "removed", "gap"]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line with its numbers in both texts (0 where it is not); a gap stands for unchanged lines left out."""

    kind: Kind
    text: str = ""
    before: int = 0
    after: int = 0


def _gap(count: int) -> str:
    return f"{count} unchanged {noun_text(count, 'lines')}"


def compare_texts(before: str, after: str) -> list[DiffLine]:
    """The changes of `after` against `before`; empty when they are the same."""
    old, new = before.splitlines()[:MOST_LINES], after.splitlines()[:MOST_LINES]
    if old == new:
        return []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return list(_lines(matcher, old, new))


def _lines(matcher: SequenceMatcher[str], old: list[str], new: list[str]) -> Iterator[DiffLine]:
    end = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if group[0][1] > end:
            yield DiffLine("gap", _gap(group[0][1] - end))
        end = group[-1][2]
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                for offset in range(old_to - old_from):
                    at = old_from + offset
                    yield DiffLine("same", old[at], at + 1, new_from + offset + 1)
                continue
            yield from (DiffLine("removed", old[at], before=at + 1) for at in range(old_from, old_to))
            yield from (DiffLine("added", new[at], after=at + 1) for at in range(new_from, new_to))
    if len(old) > end:
        yield DiffLine("gap", _gap(len(old) - end))
