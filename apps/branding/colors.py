"""Color arithmetic of the brand: strict parsing, WCAG contrast, and the nearest color that can be read."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable, Iterator

WHITE = "#ffffff"
INK = "#111827"
DARK_SURFACE = "#12151a"
READABLE = 4.5
# A filled button must be told from the page it lies on; its text is checked by READABLE.
VISIBLE = 1.5
VISIBLE_ON_DARK = 3.0
_HEX = re.compile(r"#[0-9a-f]{6}")
_STEPS = 400


def is_hex_color(text: str) -> bool:
    """Whether the text may stand in a style sheet as it is: exactly `#rrggbb`, lower case."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio, between 1 and 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def text_color_on(background: str) -> str:
    """White or near-black, whichever reads better."""
    return max((WHITE, INK), key=lambda text: contrast(text, background))


def is_readable_fill(color: str) -> bool:
    """Whether text can be read on the color, and a surface of it be seen on a white page."""
    return contrast(text_color_on(color), color) >= READABLE and contrast(color, WHITE) >= VISIBLE


def nearest_readable_fill(color: str) -> str:
    return _nearest(color, is_readable_fill)


def fill_on_dark(color: str) -> str:
    """The color as dark pages show it: a dark navy is lightened until it stands out."""
    return _nearest(
        color,
        lambda shade: (
            contrast(shade, DARK_SURFACE) >= VISIBLE_ON_DARK and contrast(text_color_on(shade), shade) >= READABLE
        ),
    )


def link_on_white(color: str) -> str:
    return _nearest(color, lambda shade: contrast(shade, WHITE) >= READABLE)


def link_on_dark(color: str) -> str:
    return _nearest(color, lambda shade: contrast(shade, DARK_SURFACE) >= READABLE)


def shifted(color: str, by: float) -> str:
    """The color with its lightness moved by `by` (-1 to 1), within bounds."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(color))
    return _hex(hue, min(1.0, max(0.0, lightness + by)), saturation)


def _nearest(color: str, accepts: Callable[[str], bool]) -> str:
    return next(shade for shade in _shades_by_distance(color) if accepts(shade))


def _shades_by_distance(color: str) -> Iterator[str]:
    """The color itself, then its darker and lighter shades in turn, ever further away."""
    yield color
    for step in range(1, _STEPS + 1):
        yield shifted(color, -step / _STEPS)
        yield shifted(color, step / _STEPS)


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))


def _luminance(color: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _channels(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
