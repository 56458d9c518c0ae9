"""What a sample says of itself."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.declared import parse_definition
from apps.connectors.sdk.declared.files.definition import FilesDefinition
from apps.connectors.sdk.declared.files.guess import draft_of, guess_file

GERMAN = (
    "Nr;Kunde;Umsatz;Seit;Aktiv;PLZ\r\n1;Müller;1.234,50;02.11.2026;ja;01234\r\n2;Söhne;7,25;03.11.2026;nein;99999\r\n"
)


def test_a_german_export() -> None:
    guess = guess_file(GERMAN.encode("cp1252"), "Kunden_20261102.csv")

    assert guess is not None
    assert (guess.file.encoding, guess.file.delimiter, guess.file.decimal, guess.file.thousands) == (
        "cp1252",
        ";",
        ",",
        ".",
    )
    assert (guess.file.pattern, guess.file.dates, guess.file.header, guess.id) == (
        "Kunden_*.csv",
        "%d.%m.%Y",
        True,
        "Nr",
    )
    assert guess.columns == {"Umsatz": "number", "Seit": "date", "Aktiv": "boolean"}


@pytest.mark.parametrize(
    ("text", "columns", "header"),
    [
        ("id,at,n\n1,2026-11-02T10:00:00+01:00,5\n2,2026-11-02T11:00:00+01:00,6\n", {"at": "datetime", "n": "integer"}, True),
        ("id\tday\tsum\n1\t12/31/2026\t1,000.50\n2\t01/02/2026\t3\n", {"day": "date", "sum": "number"}, True),
        ("7,Initech,2026-11-02\n8,Hooli,2026-11-03\n", {"column3": "date"}, False),
    ],
)  # fmt: skip
def test_other_exports(text: str, columns: dict[str, str], header: bool) -> None:
    guess = guess_file(b"\xef\xbb\xbf" + text.encode(), "export.csv")

    assert guess is not None
    assert (guess.columns, guess.file.header, guess.file.encoding) == (columns, header, "utf-8")


@pytest.mark.parametrize("content", [b"", b"just a line", b"PK\x03\x04\x00\x00", b"\x89PNG\r\n\x1a\n\x00"])
def test_what_is_no_table_is_not_guessed(content: bytes) -> None:
    assert guess_file(content, "x.csv") is None


@pytest.mark.parametrize("text", [GERMAN, "7,Initech,2026-11-02\n8,Hooli,2026-11-03\n", 'a,"b ""q"""\nx,y\nx,z\n'])
def test_the_draft_is_a_definition(text: str) -> None:
    guess = guess_file(text.encode(), "Kunden 2026.csv")
    assert guess is not None

    definition = parse_definition(draft_of(guess, "Kunden 2026.csv", transport="upload"))

    assert isinstance(definition, FilesDefinition)
    assert (definition.objects[0].name, definition.transport) == ("kunden", "upload")
