"""Pages that come quickly are taken over together, and none of them is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.sync.engine import read
from apps.sync.engine.read import together


def page(number: int, size: int, checkpoint: JsonDict) -> Page:
    records = [SourceRecord(external_id=f"{number}-{n}", data={}) for n in range(size)]
    return Page(records=records, checkpoint=checkpoint)


def shape(pages: Iterator[Page]) -> list[tuple[int, JsonDict]]:
    return [(len(found.records), found.checkpoint) for found in pages]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "TOGETHER_SECONDS", 3600)


def test_quick_pages_become_one_with_the_last_checkpoint():
    pages = (page(number, 300, {"after": number}) for number in range(6))

    assert shape(together(pages)) == [(1200, {"after": 3}), (600, {"after": 5})]


def test_pages_are_handed_on_as_they_come_when_they_come_slowly(monkeypatch):
    monkeypatch.setattr(read, "TOGETHER_SECONDS", -1)

    assert shape(together(page(number, 2, {"after": number}) for number in range(2))) == [
        (2, {"after": 0}),
        (2, {"after": 1}),
    ]


def test_a_checkpoint_without_content_and_a_page_without_records_count():
    assert shape(together(iter([page(0, 2, {})]))) == [(2, {})]
    assert shape(together(iter([page(0, 0, {"after": 7})]))) == [(0, {"after": 7})]
    assert shape(together(iter([]))) == []


def test_what_came_before_an_error_is_handed_out_first():
    def broken() -> Iterator[Page]:
        yield page(0, 3, {"after": 0})
        raise FatalError("gone")

    pages = together(broken())

    assert len(next(pages).records) == 3
    with pytest.raises(FatalError):
        next(pages)
