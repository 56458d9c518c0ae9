"""What people open in a spreadsheet runs nothing, wherever the spreadsheet splits."""

from __future__ import annotations

import csv
import io

import pytest

from apps.core.spreadsheets import harmless


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-5", "'-5"), ("@SUM(1)", "'@SUM(1)"), ("\t=1", "'\t'=1"),
        ("＝1+1", "'＝1+1"), ("x;=1+1", "x;'=1+1"), ('x;"=1+1"', "x;\"'=1+1\""), ("x\n=1", "x\n'=1"),
        ("x\t@a", "x\t'@a"), ("a = b; c - d, =e", "a = b; c - d, =e"), ("", ""), (None, ""), (-5, -5), (2.5, 2.5),
    ],
)  # fmt: skip
def test_text_that_would_run_is_text(value: object, safe: object) -> None:
    assert harmless(value) == safe


def test_no_cell_begins_a_formula_for_whoever_splits_at_semicolons() -> None:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(text) for text in ("plain", "x;=1+1", 'say "hi"\n=2', "y\t=3", "=4,5")])

    for delimiter in ",;\t":
        rows = list(csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter))
        assert [cell for row in rows for cell in row if cell.lstrip('"')[:1] in "=+-@"] == []
