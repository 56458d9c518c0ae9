"""Files written to break their reader: refused as a whole, or told row by row."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from apps.connectors.sdk.declared.files.definition import FileObjectPart, FilePart
from apps.connectors.sdk.declared.files.guess import guess_file
from apps.connectors.sdk.declared.files.rows import UnreadableFile, read_rows
from apps.connectors.sdk.types import SourceRecord

PART = FileObjectPart(
    name="items", label="Items", entity="account", id="id", columns={"at": "datetime", "n": "integer"},
    fields={"name": "record.id"}, file=FilePart(pattern="*.csv", delimiter=";"),
)  # fmt: skip


def read(content: bytes) -> list[SourceRecord]:
    moment = datetime(2026, 11, 2, tzinfo=UTC)
    return list(read_rows(io.BytesIO(content), PART, name="a.csv", modified_at=moment))


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("at", "0001-01-01T00:00:00+14:00"), ("at", "9999-12-31T23:59:59-14:00"), ("n", "9" * 5000), ("n", str(2**63)),
    ],
)  # fmt: skip
def test_a_value_beyond_all_calendars_and_numbers_breaks_its_row_alone(column: str, cell: str) -> None:
    broken, fine = read(f"id;{column}\n1;{cell}\n2;\n".encode())

    assert broken.problem == f"a.csv, line 2: “{cell[:60]}” in “{column}” is no {PART.columns[column]}."
    assert (fine.external_id, fine.problem) == ("2", "")


def test_a_broken_row_is_shown_without_what_nobody_can_keep() -> None:
    (row,) = read(b"id;name\n;a\x00\xffb\n")

    assert row.data == {"id": "", "name": "a\ufffd\ufffdb"}


def test_a_null_character_breaks_no_row_whose_id_is_without_it() -> None:
    text, number = read(b"id;name;n\n1;a\x00b;\n2;;4\x002\n")

    assert (text.external_id, text.data["name"], text.problem) == ("1", "a\x00b", "")
    assert number.problem == "a.csv, line 3: “n” holds a null character."


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("id;n\n1;2".encode("utf-16"), "is not written in utf-8"), (b"id;n\xff\n", "is not written in utf-8"),
        (b"id;n\x00\n", "is not written in utf-8"), (b"id" + b";c" * 1000, "names 1,001 columns"),
    ],
    ids=["utf-16", "bytes", "null", "columns"],
)  # fmt: skip
def test_a_header_that_nobody_can_read_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why) as raised:
        read(content)
    assert str(raised.value).encode()


def test_a_sample_says_nothing_of_itself_rather_than_break_the_page() -> None:
    assert guess_file(b'id;n\n1;"' + b"x" * 140_000, "a.csv") is None
    guess = guess_file(b"id;at\n1;0001-01-01T00:00:00+14:00\n2;0001-01-01T00:00:00+14:00\n", "a.csv")
    assert guess is not None
    assert guess.columns == {}
