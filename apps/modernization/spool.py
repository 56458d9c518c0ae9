"""Both sides of a comparison on disk, given back key by key: memory holds one key's rows, however many there are."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from types import TracebackType
from typing import Self

from apps.modernization.matching import Side

OLD, NEW = 0, 1
MOST_OF_A_KEY = 200
LONGEST_NUMBER = 20
_DIGITS = re.compile(r"\d+")


class TooManyOfOneKey(Exception):
    """The key tells too little apart: so many rows of it cannot be matched with each other."""

    def __init__(self, key: str, count: int) -> None:
        super().__init__(key)
        self.key, self.count = key, count


def _place(key: str) -> str:
    """By what keys are put in order, as people count: I-2 before I-10."""
    return _DIGITS.sub(lambda found: found[0].zfill(LONGEST_NUMBER), key)


class Spool:
    """A private file of the operating system's, gone when it is closed or the process ends."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(
            "CREATE TABLE rows (place TEXT, key TEXT, side INTEGER, body TEXT, shown TEXT, line INTEGER, record TEXT)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, side: int, rows: Iterable[tuple[str, Side]]) -> None:
        """`rows` are (folded key, row)."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((_place(key), key, side, json.dumps(row.values), row.key, row.line, row.record_id) for key, row in rows),
        )
        self._db.execute("COMMIT")

    def groups(self) -> Iterator[tuple[list[Side], list[Side]]]:
        """(old, new) of each key, in an order that does not depend on how they came. Raises TooManyOfOneKey."""
        found = self._db.execute(
            "SELECT key, side, body, shown, line, record FROM rows ORDER BY place, key, side, body, shown, line, record"
        )
        for _, rows in groupby(found, key=lambda row: row[0]):
            sides: tuple[list[Side], list[Side]] = ([], [])
            for count, (_, side, body, shown, line, record) in enumerate(rows, 1):
                if count > MOST_OF_A_KEY:
                    raise TooManyOfOneKey(shown, count)
                sides[side].append(Side(shown, json.loads(body), line, record))
            yield sides
