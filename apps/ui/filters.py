"""Filters that live in the address: declared once, parsed strictly, shown as chips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.http import HttpRequest

from .paging import with_query

PERIODS: tuple[tuple[str, str], ...] = (
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("90d", "Last 90 days"),
)
PERIOD_SECONDS = {"1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000, "90d": 7_776_000}


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a list. `choices` are (value, label); several values may be chosen unless `single`.

    `takes_days`: a first and a last day may be given instead (`from` and `to` in the address).
    """

    key: str
    label: str
    choices: Sequence[tuple[str, str]] = ()
    single: bool = False
    icon: str = ""
    default: str = ""
    takes_days: bool = False


@dataclass(frozen=True, slots=True)
class FilterOption:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FilterChip:
    key: str
    label: str
    options: tuple[FilterOption, ...]
    chosen: tuple[str, ...]
    text: str
    single: bool
    icon: str = ""
    days: tuple[tuple[str, str, str], ...] = ()  # (name, label, value) of each


MOST_EXPORTED = 10_000  # rows of a list as a file, made while somebody waits


@dataclass(frozen=True, slots=True)
class FilterState:
    """The filters as asked for. `values` holds only values that exist, so views may use them without checking."""

    chips: tuple[FilterChip, ...]
    values: dict[str, tuple[str, ...]]
    search: str
    search_placeholder: str
    clear_url: str
    action: str
    target_id: str
    exports: tuple[tuple[str, str], ...] = field(default=())
    sort: str = ""
    most_exported: int = MOST_EXPORTED
    first_day: date | None = None
    last_day: date | None = None  # included

    @property
    def is_filtered(self) -> bool:
        return bool(self.search) or any(chip.text for chip in self.chips)

    def chosen(self, key: str) -> tuple[str, ...]:
        return self.values.get(key, ())

    def first(self, key: str) -> str:
        return next(iter(self.chosen(key)), "")


FIRST_DAY, LAST_DAY = "from", "to"


def period(key: str = "period", *, label: str = "Time", default: str = "", takes_days: bool = False) -> Filter:
    return Filter(key, label, PERIODS, single=True, icon="calendar", default=default, takes_days=takes_days)


def parse_filters(
    request: HttpRequest,
    filters: Sequence[Filter],
    *,
    search_placeholder: str = "Filter",
    target_id: str = "list",
    exports: Sequence[str] = (),
) -> FilterState:
    """Read the filters from the address; unknown values are dropped. `exports` are formats such as "csv" and "json"."""
    chips = tuple(_chip(request, item) for item in filters)
    takes_days = any(item.takes_days for item in filters)
    names = [*(item.key for item in filters), *((FIRST_DAY, LAST_DAY) if takes_days else ())]
    cleared: dict[str, str | list[str] | None] = dict.fromkeys(names)
    return FilterState(
        chips=chips,
        values={chip.key: chip.chosen for chip in chips},
        search=request.GET.get("q", "").strip()[:200],
        search_placeholder=search_placeholder,
        clear_url=with_query(request, q=None, cursor=None, **cleared),
        action=request.path,
        target_id=target_id,
        exports=tuple((name.upper(), with_query(request, cursor=None, format=name)) for name in exports),
        sort=request.GET.get("sort", ""),
        first_day=_day(request, FIRST_DAY) if takes_days else None,
        last_day=_day(request, LAST_DAY) if takes_days else None,
    )


def _day(request: HttpRequest, name: str) -> date | None:
    try:
        return date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return None


def _chip(request: HttpRequest, item: Filter) -> FilterChip:
    asked = request.GET.getlist(item.key) or ([item.default] if item.default else [])
    labels = dict(item.choices)
    chosen = tuple(value for value in dict.fromkeys(asked) if value in labels)[: 1 if item.single else None]
    options = tuple(FilterOption(value, label, value in chosen) for value, label in item.choices)
    days = _days(request) if item.takes_days else ()
    told = [f"{label.lower()} {value}" for _, label, value in days if value]
    return FilterChip(
        key=item.key,
        label=item.label,
        options=options,
        chosen=chosen,
        text=" ".join(told) or _chip_text([labels[value] for value in chosen]),
        single=item.single,
        icon=item.icon,
        days=days,
    )


def _days(request: HttpRequest) -> tuple[tuple[str, str, str], ...]:
    given = [(name, label, _day(request, name)) for name, label in ((FIRST_DAY, "From"), (LAST_DAY, "To"))]
    return tuple((name, label, day.isoformat() if day else "") for name, label, day in given)


def _chip_text(labels: Sequence[str]) -> str:
    if len(labels) <= 2:
        return ", ".join(labels)
    return f"{labels[0]} +{len(labels) - 1}"


@dataclass(frozen=True, slots=True)
class Sorting:
    """The order asked for ("-amount" is descending) and each sortable column's address."""

    order: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)


NO_SORTING = Sorting()
