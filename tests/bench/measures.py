"""What a measurement says, and how the list of them is kept: `var/bench.json` and a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

OUTPUT = Path(__file__).resolve().parents[2] / "var" / "bench.json"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """`limit` is what the machine can do without us, measured in the same run; `bar` says in words what is promised."""

    name: str
    value: float
    unit: str
    bar: str
    ok: bool
    limit: float | None = None
    ratio: float | None = None


class Measures:
    """Filled by the benchmarks of a run."""

    def __init__(self) -> None:
        self.all: list[Measure] = []

    def rate(self, name: str, value: float, unit: str, *, limit: float, least: float, share: float = 0.0) -> None:
        """More is better: at least `least`, and at least this share of the limit."""
        ratio = value / limit
        bars = [f"≥ {least:,.0f}"] * bool(least) + [f"≥ {share:.0%} of the limit"] * bool(share)
        bar = " and ".join(bars)
        self._add(name, value, unit, bar, ok=value >= least and ratio >= share, limit=limit, ratio=ratio)

    def time(self, name: str, value: float, unit: str, *, most: float, limit: float | None = None) -> None:
        """Less is better."""
        ratio = value / limit if limit else None
        self._add(name, value, unit, f"≤ {most:g}", ok=value <= most, limit=limit, ratio=ratio)

    def exact(self, name: str, value: float, unit: str, *, expected: float) -> None:
        """Nothing else will do."""
        self._add(name, value, unit, f"= {expected:,.0f}", ok=value == expected, limit=None, ratio=None)

    def note(self, name: str, value: float, unit: str) -> None:
        """Nothing is promised."""
        self._add(name, value, unit, "", ok=True, limit=None, ratio=None)

    def _add(
        self, name: str, value: float, unit: str, bar: str, *, ok: bool, limit: float | None, ratio: float | None
    ) -> None:
        rounded = (round(number, 3) if number is not None else None for number in (value, limit, ratio))
        value, limit, ratio = rounded  # type: ignore[assignment]
        self.all.append(Measure(name=name, value=value, unit=unit, bar=bar, ok=ok, limit=limit, ratio=ratio))

    def save(self) -> None:
        """Measures of another selection stay; those of this run replace their older selves."""
        new = {measure.name for measure in self.all}
        known = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else []
        kept = [measure for measure in known if measure["name"] not in new]
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        OUTPUT.write_text(json.dumps([*kept, *map(asdict, self.all)], indent=2, ensure_ascii=False) + "\n")

    def table(self) -> Iterable[str]:
        yield f"{'':44} {'value':>12} {'limit':>12} {'ratio':>7}  bar"
        for measure in self.all:
            limit = f"{measure.limit:,.5g}" if measure.limit is not None else ""
            ratio = f"{measure.ratio:.2f}" if measure.ratio is not None else ""
            mark = "ok  " if measure.ok else "MISS"
            value = f"{measure.value:,.5g}"
            yield f"{mark} {measure.name:39} {value:>12} {limit:>12} {ratio:>7}  {measure.bar} {measure.unit}"


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
