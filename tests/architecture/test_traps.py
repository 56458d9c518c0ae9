"""The page of traps names tests that exist, and leaves out no trap that was promised."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path("docs/guides/vendor-traps.md")
NAMED = re.compile(r"`((?:tests|apps)/[\w/]+\.py)::(test_\w+)`")
PROMISED = (
    "filters that are not known are ignored", "200 or 204", "anonymous", "pages are capped", "modified is empty",
    "numbers come as text", "without a zone", "/date(", "some of a batch", "arrive twice", "out of order", "pages shift",
    "edited during the read", "is lost", "manifest is broken",
)  # fmt: skip


def test_every_test_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text(encoding="utf-8"))
    missing = [
        f"{path}::{test}" for path, test in named if f"def {test}(" not in Path(path).read_text(encoding="utf-8")
    ]

    assert missing == []
    assert len(named) >= 50


def test_every_row_names_a_test_and_every_promised_trap_has_a_row() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")][2:]
    traps = " ".join(row.split("|")[1].lower() for row in rows)

    assert [row for row in rows if not NAMED.search(row)] == []
    assert [trap for trap in PROMISED if trap not in traps] == []
