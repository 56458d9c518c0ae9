"""Small pictures drawn on the server, and the description the browser draws larger charts from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Value = int | float | None


@dataclass(frozen=True, slots=True)
class Sparkline:
    line: str
    area: str
    width: int
    height: int
    label: str


def build_sparkline(values: Sequence[Value], *, label: str = "", width: int = 120, height: int = 32) -> Sparkline:
    """Draw values as a line from the left edge to the right; gaps (None) break the line, zero is always in view."""
    known = [value for value in values if value is not None]
    top, bottom = max(known, default=0), min([*known, 0])
    span = (top - bottom) or 1
    step = width / max(len(values) - 1, 1)
    pad = 2
    points = [
        None if value is None else (index * step, pad + (height - 2 * pad) * (1 - (value - bottom) / span))
        for index, value in enumerate(values)
    ]
    segments = _segments(points)
    line = " ".join(_path(segment) for segment in segments)
    area = " ".join(f"{_path(part)} L{part[-1][0]:.1f} {height} L{part[0][0]:.1f} {height} Z" for part in segments)
    return Sparkline(line=line, area=area, width=width, height=height, label=label)


def _segments(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    segments: list[list[tuple[float, float]]] = []
    fresh = True
    for point in points:
        if point is None:
            fresh = True
            continue
        if fresh:
            segments.append([])
            fresh = False
        segments[-1].append(point)
    return segments


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


@dataclass(frozen=True, slots=True)
class HeatCell:
    label: str
    tone: str
    url: str = ""
    value: str = ""


SeriesKind = Literal["line", "bar", "area"]


@dataclass(frozen=True, slots=True)
class Series:
    """`tone` uses a state's colour; without it the series takes the next colour of the palette."""

    name: str
    values: Sequence[Value]
    kind: SeriesKind = "line"
    tone: str = ""
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its data table. `labels` run along the x axis; `target` draws a dashed line."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    target: float | None = None
    target_label: str = "Target"
    minimum: float | None = None
    maximum: float | None = None
    size: Literal["", "sm", "lg"] = ""
    digits: int | None = None
    summary: str = field(default="")

    @property
    def description(self) -> str:
        """The JSON the browser draws from; it goes into an attribute, so the page needs no inline script."""
        return json.dumps(
            {
                "labels": list(self.labels),
                "unit": self.unit,
                "target": self.target,
                "targetLabel": self.target_label,
                "min": self.minimum,
                "max": self.maximum,
                "series": [
                    {"name": s.name, "kind": s.kind, "tone": s.tone, "stack": s.stack, "values": list(s.values)}
                    for s in self.series
                ],
            },
            separators=(",", ":"),
        )

    @property
    def rows(self) -> list[tuple[str, list[Value]]]:
        return [(label, [series.values[index] for series in self.series]) for index, label in enumerate(self.labels)]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar list; `share` is 0–100."""

    label: str
    value: str
    share: float
    url: str = ""
    tone: str = ""


def build_bars(items: Sequence[tuple[str, float]], *, texts: Sequence[str] | None = None) -> list[Bar]:
    """Scale values to the largest one."""
    largest = max((value for _, value in items), default=0) or 1
    labels = texts or [f"{value:,.0f}" for _, value in items]
    return [
        Bar(label=label, value=text, share=round(value / largest * 100, 1))
        for (label, value), text in zip(items, labels, strict=True)
    ]
