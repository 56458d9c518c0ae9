"""The walk by modification stamps, over a list that moves while it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.stamps import Span, StampWalk

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OVERLAP = timedelta(seconds=120)


class Shelf:
    """Rows with stamps kept to the microsecond and told to the second, as most systems do."""

    def __init__(self) -> None:
        self.rows: dict[int, datetime] = {}
        self.asked: list[Span] = []

    def search(self, span: Span, limit: int) -> list[dict[str, Any]]:
        self.asked.append(span)
        found = [(moment, number) for number, moment in self.rows.items() if self._inside(span, moment, number)]
        found.sort(key=(lambda pair: pair[1]) if span.until else None)
        return [{"id": number, "at": moment.replace(microsecond=0)} for moment, number in found[:limit]]

    def _inside(self, span: Span, moment: datetime, number: int) -> bool:
        since = span.since is None or moment >= span.since
        return since and (span.until is None or moment < span.until) and number > int(span.after or 0)

    def walk(self) -> StampWalk:
        return StampWalk(self.search, stamp=lambda row: row["at"], identity=lambda row: str(row["id"]), overlap=OVERLAP)

    def read(self, checkpoint: Any = None, size: int = 3) -> tuple[list[int], Any]:
        pages = list(self.walk().pages(checkpoint, size=size))
        return [row["id"] for rows, _ in pages for row in rows], pages[-1][1]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_everything_is_read_once_and_the_next_pass_starts_a_little_earlier(shelf: Shelf) -> None:
    shelf.rows = {n: START + timedelta(seconds=n * 200) for n in range(1, 8)}

    seen, checkpoint = shelf.read()
    again, _ = shelf.read(checkpoint)

    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert checkpoint == {"since": "2026-11-22T12:23:20+00:00", "complete": True}
    assert again == [7]


def test_an_import_with_one_stamp_is_walked_by_id(shelf: Shelf) -> None:
    shelf.rows = {n: START + timedelta(microseconds=n) for n in range(1, 11)} | {11: START + timedelta(seconds=5)}

    seen, _ = shelf.read()

    assert seen == list(range(1, 12))
    assert [span.after for span in shelf.asked if span.until] == ["", "3", "6", "9"]


def test_a_stamp_that_goes_on_behind_the_page_is_read_together(shelf: Shelf) -> None:
    shelf.rows = {1: START, 2: START + timedelta(seconds=1), 3: START + timedelta(seconds=1, microseconds=5)}
    shelf.rows[4] = START + timedelta(seconds=1, microseconds=9)

    pages = [[row["id"] for row in rows] for rows, _ in shelf.walk().pages(None, size=3)]

    assert pages == [[1], [2, 3, 4], []]


def test_every_page_can_be_the_last_one_before_a_crash(shelf: Shelf) -> None:
    shelf.rows = {n: START + timedelta(seconds=n // 4) for n in range(1, 20)}
    checkpoint: Any = None
    seen: set[int] = set()

    for _ in range(40):
        rows, checkpoint = next(shelf.walk().pages(checkpoint, size=2))
        seen |= {row["id"] for row in rows}
        if checkpoint["complete"]:
            break

    assert seen == set(range(1, 20))
    assert checkpoint["complete"]


def test_what_changes_during_the_read_is_read_again(shelf: Shelf) -> None:
    shelf.rows = {n: START + timedelta(seconds=n) for n in range(1, 7)}
    seen: list[int] = []
    for rows, _ in shelf.walk().pages(None, size=3):
        if not seen:
            shelf.rows[1] = START + timedelta(seconds=60)
        seen += [row["id"] for row in rows]

    assert sorted(seen) == [1, 1, 2, 3, 4, 5, 6]


def test_nothing_there_yet_is_a_place_to_start_from(shelf: Shelf) -> None:
    seen, checkpoint = shelf.read()

    assert (seen, checkpoint) == ([], {"since": None, "complete": True})
    shelf.rows[1] = START
    assert shelf.read(checkpoint)[0] == [1]


def test_a_vendor_that_ignores_the_filter_is_found_out(shelf: Shelf) -> None:
    shelf.rows = {n: START + timedelta(seconds=n) for n in range(1, 5)}
    walk = StampWalk(
        lambda span, limit: shelf.search(Span(), limit),
        stamp=lambda row: row["at"], identity=lambda row: str(row["id"]), overlap=OVERLAP,
    )  # fmt: skip

    with pytest.raises(FatalError) as caught:
        list(walk.pages(None, size=3))

    assert caught.value.code == "filter_ignored"


def test_a_vendor_that_ignores_the_order_is_found_out() -> None:
    walk = StampWalk(
        lambda span, limit: [{"id": 1, "at": START + timedelta(seconds=1)}, {"id": 2, "at": START}],
        stamp=lambda row: row["at"], identity=lambda row: str(row["id"]), overlap=OVERLAP,
    )  # fmt: skip

    with pytest.raises(FatalError) as caught:
        list(walk.pages(None, size=3))

    assert caught.value.code == "unsorted"
