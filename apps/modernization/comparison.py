"""How an old result is read and compared; and values as both sides say them, so that texts can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any

import msgspec

from apps.connectors.sdk.declared.files.definition import FilePart
from apps.connectors.sdk.declared.files.rows import LARGEST_INTEGER, number, typed
from apps.core.money import Money
from apps.modernization.fields import FieldChoice

HOUR = Decimal(3600)
# Old systems write hours with two places: half of the last one.
HOURS_ROUNDING = Decimal(18)
NUMERIC = frozenset({"integer", "number", "money", "minor", "hours"})
# What holds for a comparison as a whole, beside its columns and its system.
RULES = (
    "date_field", "first_day", "last_day", "amount_tolerance", "day_tolerance", "ignores_case", "ignores_blanks",
)  # fmt: skip
Values = Mapping[str, str]
BETWEEN = " · "


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`columns`: {column of the file: token}; `keys`: tokens that together say which record a row is.

    `first_day` and `last_day` (both included) cut records and rows by `date_field`. `system`: only records that this
    connection holds; empty: any system of the integration. Tolerances: of amounts and numbers in their own unit, of dates
    in days. `file` says how its numbers and dates are written.
    """

    columns: dict[str, str] = {}
    keys: list[str] = []
    system: str = ""
    date_field: str = ""
    first_day: date | None = None
    last_day: date | None = None
    amount_tolerance: Annotated[str, msgspec.Meta(pattern=r"^\d{1,12}(\.\d{1,6})?$")] = "0"
    day_tolerance: Annotated[int, msgspec.Meta(ge=0, le=366)] = 0
    ignores_case: bool = True
    ignores_blanks: bool = True
    is_json: bool = False
    file: FilePart = FilePart(pattern="*")

    @property
    def compared(self) -> list[str]:
        """The fields that can differ: all but those that say which record it is."""
        return [token for token in dict.fromkeys(self.columns.values()) if token not in self.keys]


def written_as(file: FilePart, *, decimal: str, dates: str) -> FilePart:
    """The file, with its amounts and days written as a person says."""
    # Whoever corrects the guess has 1.234 or 1,234 in mind: the other sign then groups thousands.
    other = {".": ",", ",": "."}[decimal]
    thousands = file.thousands if decimal == file.decimal else other
    return msgspec.structs.replace(file, decimal=decimal, thousands=thousands, dates=dates)


class BadValue(ValueError):
    """The message says in words what is wrong with a cell."""


def read_cell(cell: str, choice: FieldChoice, file: FilePart) -> str:
    """The cell as `show_value` would say it; empty stays empty. Raises BadValue."""
    cell = cell.strip()
    if not cell:
        return ""
    try:
        return _read(cell, choice.kind, file)
    except (ValueError, InvalidOperation, OverflowError):
        kind = {"money": "amount", "minor": "amount in cents", "hours": "number of hours"}.get(choice.kind, choice.kind)
        raise BadValue(f"“{cell[:60]}” is no {kind.replace('datetime', 'time')}") from None


def _read(cell: str, kind: str, file: FilePart) -> str:
    if kind in NUMERIC:
        value = Decimal(number(cell, file))
        if abs(value) > LARGEST_INTEGER:
            raise ValueError(cell)
        return plain_number(_seconds(value) if kind == "hours" else value)
    if kind == "date":
        return _day(cell, file)
    if kind == "datetime":
        return str(typed(cell, "datetime", file))
    if kind == "boolean":
        return "true" if typed(cell, "boolean", file) else "false"
    return cell.upper() if kind == "currency" else cell


def _day(cell: str, file: FilePart) -> str:
    try:
        return str(typed(cell, "date", file))
    except ValueError:
        # Old systems like to write a day with the time 00:00: the day is the one that is written, whatever the offset.
        form = file.datetimes
        moment = datetime.strptime(cell, form) if form else datetime.fromisoformat(cell)  # noqa: DTZ007
        return moment.date().isoformat()


def _seconds(hours: Decimal) -> Decimal:
    return (hours * HOUR).quantize(Decimal(1), rounding=ROUND_HALF_UP)


def plain_number(value: Decimal) -> str:
    """`12.50` → `12.5`, `-0` → `0`."""
    text = format(value.normalize(), "f")
    return "0" if text in ("-0", "") else text


def show_value(value: Any, choice: FieldChoice) -> str:
    """A field of a record as text; empty where it has none."""
    if value is None or value == "":
        return ""
    if choice.kind in ("money", "minor", "currency"):
        return _money(value, choice.kind)
    if choice.kind in ("integer", "number", "hours"):
        return plain_number(Decimal(str(value)))
    if choice.kind == "boolean":
        return "true" if value else "false"
    return str(value).strip()


def _money(value: Any, kind: str) -> str:
    if kind == "currency":
        return str(value["currency"])
    if kind == "minor":
        return str(value["amount"])
    return plain_number(Money(value["amount"], value["currency"]).decimal)


def folded(text: str, kind: str, comparison: Comparison) -> str:
    """What is left when case and blanks do not count; numbers and dates have neither."""
    if kind in NUMERIC or kind in ("date", "datetime", "boolean"):
        return text
    # One system writes an umlaut as one sign, another as two: nobody sees a difference.
    text = unicodedata.normalize("NFC", text)
    text = "".join(text.split()) if comparison.ignores_blanks else text
    return text.casefold() if comparison.ignores_case else text


def differs(old: str, new: str, choice: FieldChoice, comparison: Comparison) -> bool:
    if old == new:
        return False
    if not old or not new:
        return not (choice.kind == "boolean" and {old, new} == {"", "false"})
    if choice.kind in NUMERIC:
        allowed = HOURS_ROUNDING if choice.kind == "hours" else Decimal(comparison.amount_tolerance)
        return abs(Decimal(old) - Decimal(new)) > allowed
    if choice.kind in ("date", "datetime"):
        return _moments_differ(old, new, comparison.day_tolerance)
    return folded(old, choice.kind, comparison) != folded(new, choice.kind, comparison)


def _moments_differ(old: str, new: str, days: int) -> bool:
    try:
        first, second = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (old, new))
    except ValueError:
        return True
    first, second = (moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (first, second))
    return abs((first - second).total_seconds()) > days * 86_400


def say(text: str, choice: FieldChoice) -> str:
    """A value as people read it in a list of differences: hours instead of seconds.

    To the thousandth: hours differ by half a hundredth where they are found to, and must not look alike.
    """
    if choice.kind == "hours" and text:
        return plain_number((Decimal(text) / HOUR).quantize(Decimal("0.001"), rounding=ROUND_HALF_UP))
    return text


def say_row(values: Values, choices: Mapping[str, FieldChoice]) -> str:
    """A whole row in one line: its fields that say something."""
    return BETWEEN.join(
        f"{choices[token].label}: {say(text, choices[token])}" for token, text in values.items() if text and token in choices
    )  # fmt: skip


def parts_of_row(told: str, choices: Iterable[FieldChoice]) -> list[tuple[FieldChoice | None, str]]:
    """What `say_row` put together: (field, what was said of it); without a field, what belongs to none that is known."""
    known = {choice.label: choice for choice in choices}
    # Values may hold what parts stand between: only a field's name begins a new one.
    names = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
    if not names:
        return [(None, told)]
    found: list[tuple[FieldChoice | None, str]] = []
    for part in re.split(f"{BETWEEN}(?=(?:{names}): )", told):
        label, _, said = part.partition(": ")
        found.append((known[label], said) if label in known else (None, part))
    return found
