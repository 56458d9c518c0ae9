"""Tables as data: the page states columns and rows, one template draws them on every screen width."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from .filters import NO_SORTING, Sorting

CellKind = Literal[
    "text",
    "number",
    "money",
    "status",
    "datetime",
    "date",
    "duration",
    "id",
    "tag",
    "boolean",
    "percent",
    "bytes",
    "html",
]
_END_ALIGNED = frozenset({"number", "money", "duration", "percent", "bytes"})


@dataclass(frozen=True)
class Column:
    """One column. `value` is an attribute path ("customer.name") or a function of the row; the first `main` column
    carries the row's link and is the headline on a phone. `sub` is a second, quieter line of the same cell. `draw` makes
    the value's markup where no kind does."""

    key: str
    label: str
    kind: CellKind = "text"
    value: str | Callable[[Any], object] = ""
    sub: str | Callable[[Any], object] = ""
    template: str = ""
    draw: Callable[[Any], str] | None = None
    main: bool = False
    sortable: bool = False
    wide_only: bool = False
    clip: bool = False
    shrink: bool = False
    currency: str = "currency"
    hidden_label: bool = False

    @cached_property
    def css(self) -> str:
        names = {
            "end": self.kind in _END_ALIGNED,
            "cell-main": self.main,
            "wide-only": self.wide_only,
            "clip": self.clip,
            "shrink": self.shrink,
        }
        return " ".join(name for name, on in names.items() if on)


@dataclass(frozen=True, slots=True)
class Cell:
    column: Column
    value: object
    sub: object = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    url: str
    cells: tuple[Cell, ...]
    source: object


@dataclass(frozen=True, slots=True)
class Table:
    """`caption` names the table for screen readers; `total` is the exact count of what the filter matches.

    A page with a second table gives it another swap target: `replace(table, target_id="errors")`.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    sorting: Sorting = NO_SORTING
    selectable: bool = False
    total: int | None = None
    noun: str = "rows"
    target_id: str = "list"

    @property
    def choosable(self) -> list[Column]:
        """Columns a person may put away: not the one that names the row, nor one with buttons."""
        return [column for column in self.columns if not column.main and not column.hidden_label]

    def without(self, hidden: Collection[str]) -> Table:
        """The table without these columns; what may not be put away stays."""
        gone = {column.key for column in self.choosable} & set(hidden)
        if not gone:
            return self
        rows = [replace(row, cells=tuple(c for c in row.cells if c.column.key not in gone)) for row in self.rows]
        return replace(self, columns=[c for c in self.columns if c.key not in gone], rows=rows)

    @property
    def heads(self) -> list[tuple[Column, str, str]]:
        """Each column with its sort address and its aria-sort value."""
        return [(column, self.sorting.urls.get(column.key, ""), self._direction(column)) for column in self.columns]

    def _direction(self, column: Column) -> str:
        if self.sorting.order.lstrip("-") != column.key or not column.sortable:
            return ""
        return "descending" if self.sorting.order.startswith("-") else "ascending"


def build_table(
    items: Iterable[Any],
    columns: Sequence[Column],
    *,
    caption: str,
    url: Callable[[Any], str] | None = None,
    sorting: Sorting | None = None,
    selectable: bool = False,
    total: int | None = None,
    noun: str = "rows",
) -> Table:
    """Read every cell's value from the items; `url` gives the row's link."""
    rows = [
        Row(
            key=str(read_path(item, "pk") or read_path(item, "id") or read_path(item, "key") or index),
            url=url(item) if url else "",
            cells=tuple(_cell(item, column) for column in columns),
            source=item,
        )
        for index, item in enumerate(items)
    ]
    return Table(caption, columns, rows, sorting or NO_SORTING, selectable, total, noun)


def _cell(item: object, column: Column) -> Cell:
    source = column.value or column.key
    value = source(item) if callable(source) else read_path(item, source)
    sub = column.sub(item) if callable(column.sub) else read_path(item, column.sub) if column.sub else ""
    currency = str(read_path(item, column.currency) or "") if column.kind == "money" else ""
    return Cell(column, value, sub, currency)


def read_path(item: object, path: str) -> object:
    """Follow a dotted path through attributes and mappings; a missing step reads as None."""
    value: object = item
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else getattr(value, step, None)
        if value is None:
            return None
    return value
