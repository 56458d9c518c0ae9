"""Columns that can be read in two ways: 03/04/2026 is in March or in April, and 1,234 is a thousand or a little over one.

One cell anywhere in the file that can be read in one way only settles it for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}")
_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_PLAIN = re.compile(r"[+-]?\d*")
_SETTLED = re.compile(r"[+-]?[\d.,]*[.,]\d*")
MONTHS = 12


class Doubts:
    """Fed with the cells of all rows; `days` and `numbers` then name the columns, in the order of the file."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._settled: set[str] = set()

    def see(self, cells: Mapping[str, str]) -> None:
        for column, cell in cells.items():
            known = self._kinds.get(column)
            if cell and known != "" and known not in self._settled:
                self._kinds[column] = self._kind(cell, known)

    def _kind(self, cell: str, known: str | None) -> str:
        """Empty: the column holds something else. The kind before stays where the cell says nothing."""
        day = _DAY.fullmatch(cell)
        if day:
            if max(int(day[1]), int(day[2])) > MONTHS:
                self._settled.add("days")
            return "days"
        if _NUMBER.fullmatch(cell):
            return "numbers"
        if _PLAIN.fullmatch(cell):
            return known or "plain"
        if _SETTLED.fullmatch(cell):
            self._settled.add("numbers")
            return "numbers"
        return ""

    @property
    def days(self) -> list[str]:
        return self._of("days")

    @property
    def numbers(self) -> list[str]:
        return self._of("numbers")

    def _of(self, kind: str) -> list[str]:
        return [] if kind in self._settled else [column for column, one in self._kinds.items() if one == kind]
