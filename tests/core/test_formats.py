"""Days in documents."""

from __future__ import annotations

from datetime import date

import pytest

from apps.core.formats import format_date


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "23 November 2026"), ("en-US", "23 November 2026"), ("en_GB", "23 November 2026"),
        ("de", "23. November 2026"), ("fr", "23 novembre 2026"), ("nowhere", "23 November 2026"),
    ],
)  # fmt: skip
def test_a_day_is_read_alike_everywhere(locale: str, text: str) -> None:
    assert format_date(date(2026, 11, 23), locale) == text
