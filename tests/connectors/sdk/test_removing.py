"""Deleting tells what became of the record, not what the vendor answered."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import ConnectorError, RecordRejected, TransientError
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import SourceRecord


class Sink(Removing):
    """`answer`: what the vendor says to the deletion; `stays`: whatever it says, the record is still there."""

    def __init__(self, *, held: bool = True, answer: ConnectorError | None = None, stays: bool = False) -> None:
        self.held, self.answer, self.stays = held, answer, stays
        self.calls = 0

    def get(self, external_id: str) -> SourceRecord | None:
        return SourceRecord(external_id=external_id, data={}) if self.held else None

    def remove(self, external_id: str) -> None:
        self.calls += 1
        self.held = self.stays
        if self.answer:
            raise self.answer


def test_what_is_deleted_is_gone_and_what_is_gone_is_left_alone() -> None:
    sink = Sink()
    sink.delete("1")
    sink.delete("1")

    assert (sink.held, sink.calls) == (False, 1)


def test_what_stays_is_told() -> None:
    with pytest.raises(RecordRejected) as told:
        Sink(stays=True).delete("1")

    assert told.value.code == "not_deleted"


@pytest.mark.parametrize("status", [404, 410])
def test_somebody_else_was_faster(status: int) -> None:
    sink = Sink(answer=RecordRejected("gone", status=status))
    sink.delete("1")

    assert sink.calls == 1


def test_not_found_is_no_deletion_where_the_record_is_still_there() -> None:
    """Some vendors answer 404 to those who may not delete."""
    with pytest.raises(RecordRejected) as told:
        Sink(answer=RecordRejected("not found", status=404), stays=True).delete("1")

    assert told.value.code == "not_deleted"


@pytest.mark.parametrize("error", [RecordRejected("in use", status=400), TransientError("down", status=503)])
def test_a_refusal_is_passed_on(error: ConnectorError) -> None:
    with pytest.raises(type(error)) as told:
        Sink(answer=error, stays=True).delete("1")

    assert told.value is error
