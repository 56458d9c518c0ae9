from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.branding import colors

HEX = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@pytest.mark.parametrize(
    "one, other, ratio",
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.478),
        ("#3b5bdb", "#ffffff", 5.668),
        ("#aaaaaa", "#aaaaaa", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert round(colors.contrast(one, other), 3) == ratio


@pytest.mark.parametrize(
    "text, accepted",
    [
        ("#3b5bdb", True), ("#3B5BDB", False), ("#fff", False), ("3b5bdb", False), ("#3b5bdb;}", False),
        ("#3b5bdb\n", False), ("red", False), ("", False),
    ],
)  # fmt: skip
def test_only_six_lower_case_digits_are_a_color(text: str, accepted: bool) -> None:
    assert colors.is_hex_color(text) is accepted


@pytest.mark.parametrize("background, text", [("#f2b705", "#111827"), ("#0b1f3a", "#ffffff"), ("#ffffff", "#111827")])
def test_text_takes_the_side_that_reads_better(background: str, text: str) -> None:
    assert colors.text_color_on(background) == text


@pytest.mark.parametrize(
    "case, color, suggestion",
    [
        ("readable stays", "#3b5bdb", "#3b5bdb"),
        ("yellow carries dark text", "#f2b705", "#f2b705"),
        ("mid grey is darkened", "#7a7a7a", "#767676"),
        ("white is darkened until seen", "#ffffff", "#d2d2d2"),
    ],
)
def test_the_nearest_readable_fill_is_offered(case: str, color: str, suggestion: str) -> None:
    assert colors.nearest_readable_fill(color) == suggestion


def test_navy_is_lightened_for_dark_pages_and_kept_on_light_ones() -> None:
    assert colors.is_readable_fill("#0b1f3a") is True
    assert colors.contrast("#0b1f3a", colors.DARK_SURFACE) < 1.5
    assert colors.contrast(colors.fill_on_dark("#0b1f3a"), colors.DARK_SURFACE) >= 3


@given(HEX)
def test_every_color_has_readable_relatives(color: str) -> None:
    fill = colors.nearest_readable_fill(color)
    dark = colors.fill_on_dark(fill)

    assert colors.contrast(colors.text_color_on(fill), fill) >= 4.5
    assert colors.contrast(fill, "#ffffff") >= 1.5
    assert colors.contrast(colors.text_color_on(dark), dark) >= 4.5
    assert colors.contrast(colors.link_on_white(fill), "#ffffff") >= 4.5
    assert colors.contrast(colors.link_on_dark(fill), colors.DARK_SURFACE) >= 4.5
