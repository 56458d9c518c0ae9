"""A pass resumes where it stopped and ends where nothing can be missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.passes import Batch, PassStream, moment, stamp
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import SourceRecord, WriteRequest

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Numbers(PassStream):
    """Record n was modified n minutes after noon."""

    def __init__(self, count: int, *, now: datetime) -> None:
        super().__init__(SimpleNamespace(context=SimpleNamespace(now=lambda: now)))
        self.count = count
        self.asked: list[Any] = []

    def fetch(self, *, since, place, size):
        self.asked.append(since)
        first = place.get("from", 0)
        numbers = range(first, min(first + size, self.count))
        records = [SourceRecord(external_id=str(n), data={}, modified_at=START + timedelta(minutes=n)) for n in numbers]
        last = first + size >= self.count
        return Batch(records=records, place=None if last else {"from": first + size})

    def get(self, external_id):
        return None


def test_every_page_resumes_after_itself():
    stream = Numbers(5, now=START + timedelta(hours=1))
    pages = list(stream.read(checkpoint=None, page_size=2))

    rest = list(stream.read(checkpoint=pages[1].checkpoint, page_size=2))

    assert [[r.external_id for r in page.records] for page in pages] == [["0", "1"], ["2", "3"], ["4"]]
    assert [[r.external_id for r in page.records] for page in rest] == [["4"]]
    assert rest[-1].checkpoint == pages[-1].checkpoint == {"since": "2026-11-20T12:04:00.000000Z"}


def test_the_next_pass_overlaps():
    stream = Numbers(1, now=START + timedelta(hours=1))

    list(stream.read(checkpoint={"since": "2026-11-20T12:04:00.000000Z"}))

    assert stream.asked == [datetime(2026, 11, 20, 11, 59, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("case", "now", "count", "checkpoint", "expected"),
    [
        ("stamps from the future", START + timedelta(minutes=2), 5, None, {"since": "2026-11-20T12:02:00.000000Z"}),
        ("nothing new", START, 0, {"since": "2026-11-19T00:00:00.000000Z"}, {"since": "2026-11-19T00:00:00.000000Z"}),
        ("nothing at all", START, 0, None, {}),
    ],
)
def test_where_a_pass_ends(case, now, count, checkpoint, expected):
    *_, last = Numbers(count, now=now).read(checkpoint=checkpoint)

    assert last.checkpoint == expected


class Unstamped(Numbers):
    """Every other record was never changed, and has no stamp."""

    def fetch(self, *, since, place, size):
        batch = super().fetch(since=since, place=place, size=size)
        records = [
            SourceRecord(
                external_id=r.external_id, data={}, modified_at=r.modified_at if int(r.external_id) % 2 else None
            )
            for r in batch.records
        ]
        return Batch(records=records, place=batch.place)


@pytest.mark.parametrize(("count", "expected"), [(4, {"since": "2026-11-20T12:03:00.000000Z"}), (1, {})])
def test_records_without_a_stamp_do_not_move_the_end(count, expected):
    pages = list(Unstamped(count, now=START + timedelta(hours=1)).read(checkpoint=None, page_size=2))

    assert [r.external_id for page in pages for r in page.records] == [str(n) for n in range(count)]
    assert pages[-1].checkpoint == expected


def test_moments_compare_as_text():
    texts = [
        stamp(moment(text)) for text in ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00.5Z", "2026-11-20T14:00:01+02:00")
    ]

    assert texts == sorted(texts)
    assert moment("2026-11-20T12:00:00") == START
    assert (moment(None), moment(""), stamp(None)) == (None, None, None)


class Names(SingleSink):
    """A vendor that keeps at most five letters and loses whoever is called Ghost."""

    checks = {"name": lambda data: data["name"]}

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        super().__init__(None, SimpleNamespace(get=self.shown))

    def shown(self, external_id):
        name = self.held.get(external_id)
        return SourceRecord(external_id=external_id, data={"name": name}) if name else None

    def create(self, request):
        if not request.payload["name"]:
            raise RecordRejected("a name is needed")
        self.held["1"] = request.payload["name"][:5].replace("Ghost", "")
        return "1"

    def update(self, external_id, request):
        self.held[external_id] = request.payload["name"][:5]

    def resolve(self, key):
        return None


def test_a_write_is_read_back_and_compared():
    requests = [WriteRequest(key=name, payload={"name": name}) for name in ("Dana", "", "Alexander")]

    good, refused, cut = Names().write(requests)

    assert good.record.data == {"name": "Dana"}
    assert refused.error.message == "a name is needed"
    assert cut.error.message == "the vendor did not take the name"


def test_a_confirmed_write_that_is_not_there_stops_the_run():
    with pytest.raises(FatalError, match="does not show"):
        Names().write([WriteRequest(key="k", payload={"name": "Ghost"})])
