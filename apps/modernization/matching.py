"""Rows and records of one key, matched. Pure, and the same in whatever order they come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from apps.modernization.comparison import Comparison, Values, differs, say, say_row
from apps.modernization.fields import FieldChoice
from apps.modernization.models import DifferenceKind


@dataclass(frozen=True, slots=True)
class Side:
    """A row of the file (`line`) or a record (`record_id`), with its compared fields."""

    key: str
    values: Values
    line: int | None = None
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a person has to look at; see `ParallelDifference`."""

    kind: DifferenceKind
    key: str
    field: str = ""
    old: str = ""
    new: str = ""
    line: int | None = None
    record_id: str | None = None

    @property
    def digest(self) -> str:
        said = "\x1f".join((self.kind, self.key, self.field, self.old, self.new))
        return hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass(slots=True)
class Tally:
    """Each row and each record once; `finding` counts what there is to look at."""

    old: int = 0
    new: int = 0
    equal: int = 0
    different: int = 0
    only_old: int = 0
    only_new: int = 0
    twice_old: int = 0
    twice_new: int = 0
    unreadable: int = 0
    outside: int = 0
    finding: int = 0

    def as_counts(self) -> dict[str, int]:
        return {f"{one.name}_count": getattr(self, one.name) for one in fields(self)}


class Matcher:
    """Compares by one set of rules and counts as it goes."""

    def __init__(self, comparison: Comparison, choices: Mapping[str, FieldChoice]) -> None:
        self.comparison = comparison
        self.choices = choices
        self.compared = [token for token in comparison.compared if token in choices]
        self.tally = Tally()

    def match(self, old: Sequence[Side], new: Sequence[Side]) -> Iterator[Finding]:
        """What differs among all rows and records of one key, each given in a fixed order.

        Equal ones go together first; then each row with the record that differs least. What is left over stands once too
        often where the other side has the key, and alone where it does not.
        """
        left_old, left_new = list(old), list(new)
        self._pair_equal(left_old, left_new)
        yield from self._pair_different(left_old, left_new)
        yield from self._left_over(left_old, DifferenceKind.ONLY_OLD, DifferenceKind.TWICE_OLD, is_known=bool(new))
        yield from self._left_over(left_new, DifferenceKind.ONLY_NEW, DifferenceKind.TWICE_NEW, is_known=bool(old))

    def _pair_equal(self, old: list[Side], new: list[Side]) -> None:
        for row in list(old):
            found = next((other for other in new if not self._differing(row, other)), None)
            if found is not None:
                old.remove(row)
                new.remove(found)
                self.tally.equal += 1

    def _pair_different(self, old: list[Side], new: list[Side]) -> Iterator[Finding]:
        while old and new:
            row = old.pop(0)
            other = min(new, key=lambda one: len(self._differing(row, one)))
            new.remove(other)
            self.tally.different += 1
            for token in self._differing(row, other):
                yield self._found(
                    Finding(
                        DifferenceKind.DIFFERENT, row.key, token, self._said(row, token), self._said(other, token),
                        row.line, other.record_id,
                    )
                )  # fmt: skip

    def _left_over(
        self, rows: Iterable[Side], alone: DifferenceKind, twice: DifferenceKind, *, is_known: bool
    ) -> Iterator[Finding]:
        for number, row in enumerate(rows):
            kind = twice if is_known or number else alone
            setattr(self.tally, kind.value, getattr(self.tally, kind.value) + 1)
            told = say_row(row.values, self.choices)
            is_old = alone == DifferenceKind.ONLY_OLD
            yield self._found(
                Finding(
                    kind, row.key, old=told if is_old else "", new="" if is_old else told, line=row.line,
                    record_id=row.record_id,
                )
            )  # fmt: skip

    def refuse(self, line: int, problem: str, shown: str) -> Finding:
        """A row of the file that says nothing that can be compared."""
        self.tally.unreadable += 1
        return self._found(Finding(DifferenceKind.UNREADABLE, problem, old=shown, line=line))

    def nameless(self, record: Side) -> Finding:
        """A record without what rows are told apart by: nothing in the file can be it."""
        self.tally.only_new += 1
        told = say_row(record.values, self.choices)
        return self._found(Finding(DifferenceKind.ONLY_NEW, "", new=told, record_id=record.record_id))

    def _differing(self, old: Side, new: Side) -> list[str]:
        return [
            token
            for token in self.compared
            if differs(old.values.get(token, ""), new.values.get(token, ""), self.choices[token], self.comparison)
        ]

    def _said(self, side: Side, token: str) -> str:
        return say(side.values.get(token, ""), self.choices[token])

    def _found(self, finding: Finding) -> Finding:
        self.tally.finding += 1
        return finding
