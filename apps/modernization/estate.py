"""A customer's whole estate as a text: YAML with waves, interfaces and checklists, or CSV with one interface a line.

What a text does not say is left as it is, so that a list with two columns changes nothing else.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from apps.core.spreadsheets import harmless
from apps.customers.models import Customer
from apps.flows.definition import Part
from apps.flows.sources import InvalidSource, as_source, read_document
from apps.modernization.models import LegacyInterface, MigrationWave
from apps.modernization.selectors import read_needs

KIND = "modernization"
MOST_LINES = 1_000
LONGEST_TEXT = 200_000
COLUMNS = (
    "name", "kind", "source", "target", "entity", "frequency", "monthly_count", "owner", "criticality", "documentation",
    "wave", "integration", "depends_on", "way_back", "notes",
)  # fmt: skip
_GROUPED = re.compile(r"[0-9]{1,3}([., '])[0-9]{3}(\1[0-9]{3})*")
_GUARDED = ("'=", "'+", "'-", "'@")


class WaveDoc(Part, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    position: int | None = None
    goal: str | None = None
    starts_on: str | None = None
    cut_over_on: str | None = None


class InterfaceDoc(Part, frozen=True):
    """`wave`, `integration` and `depends_on` are names; `checklist` are the points of people."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    kind: str | None = None
    source: str | None = None
    target: str | None = None
    entity: str | None = None
    frequency: str | None = None
    monthly_count: int | None = None
    owner: str | None = None
    criticality: str | None = None
    documentation: str | None = None
    wave: str | None = None
    integration: str | None = None
    depends_on: list[str] | None = None
    way_back: str | None = None
    notes: str | None = None
    checklist: list[Annotated[str, msgspec.Meta(min_length=1, max_length=200)]] | None = None


class EstateDoc(Part, frozen=True):
    kind: Literal["modernization"]
    customer: str
    waves: list[WaveDoc] = []
    interfaces: list[InterfaceDoc] = []


@dataclass(frozen=True, slots=True)
class Line:
    """One interface as a text says it, with its line; `problem` says why it cannot be read."""

    doc: InterfaceDoc
    line: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Estate:
    """`is_complete`: waves that are not named are a mistake; a CSV brings its waves along by naming them."""

    lines: list[Line]
    waves: list[WaveDoc] = field(default_factory=list)
    is_complete: bool = False


def read_estate(text: str, customer: Customer) -> Estate:
    """YAML or CSV, whichever it is. Raises InvalidSource."""
    if len(text) > LONGEST_TEXT:
        raise InvalidSource(f"At most {LONGEST_TEXT:,} characters are taken.")
    text = text.lstrip("\ufeff")
    if not text.strip():
        raise InvalidSource("There is nothing to read.")
    first = text.lstrip().splitlines()[0]
    return _from_yaml(text, customer) if first.startswith(("kind:", "#", "---")) else _from_csv(text)


def _from_yaml(text: str, customer: Customer) -> Estate:
    document = read_document(text)
    doc = document.read_as(EstateDoc)
    if doc.customer != customer.slug:
        raise InvalidSource(f"The text is about {doc.customer[:60]}, not about {customer.slug}.")
    if len(doc.interfaces) > MOST_LINES:
        raise InvalidSource(f"Take at most {MOST_LINES:,} interfaces at once.")
    lines = [Line(one, document.line_of(f".interfaces[{n}]")) for n, one in enumerate(doc.interfaces)]
    return Estate(lines, doc.waves, is_complete=True)


def _from_csv(text: str) -> Estate:
    if "\x00" in text:
        raise InvalidSource("The file is no text. Save it as CSV and choose it again.")
    delimiter = max(",;\t", key=text.splitlines()[0].count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = [_heading(cell) for cell in next(reader)]
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise InvalidSource(f"The file cannot be read: {error}.") from None
    unknown = next((name for name in header if name not in COLUMNS), None)
    if unknown is not None:
        raise InvalidSource(f"There is no column “{unknown[:60]}”. The columns are: {', '.join(COLUMNS)}.", line=1)
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InvalidSource(f"There are two columns “{twice}”.", line=1)
    if "name" not in header:
        raise InvalidSource("There is no column “name”, by which interfaces are told apart.", line=1)
    if len(rows) > MOST_LINES:
        raise InvalidSource(f"Take at most {MOST_LINES:,} interfaces at once.")
    return Estate([_line(number, header, cells) for number, cells in rows])


def _heading(cell: str) -> str:
    said = cell.strip().lower().replace(" ", "_")
    return {"carries": "entity", "records_a_month": "monthly_count", "replaced_by": "integration"}.get(said, said)


def _line(number: int, header: Sequence[str], cells: Sequence[str]) -> Line:
    given = dict(zip(header, (_unguarded(cell.strip()) for cell in cells), strict=False))
    name, whole = given.get("name", "")[:120], given.get("name", "")
    if len(cells) != len(header):
        return Line(InterfaceDoc(name=name or "?"), number, f"It has {len(cells)} columns, the header {len(header)}.")
    if not name:
        return Line(InterfaceDoc(name="?"), number, "It has no name.")
    if name != whole:
        return Line(InterfaceDoc(name=name), number, "Its name is longer than 120 characters.")
    values: dict[str, Any] = {**given, "name": name}
    if "depends_on" in given:
        values["depends_on"] = [one.strip() for one in given["depends_on"].split(";") if one.strip()]
    if "monthly_count" in given:
        digits = given["monthly_count"]
        if _GROUPED.fullmatch(digits):
            digits = re.sub(r"\D", "", digits)
        if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
            return Line(InterfaceDoc(name=name), number, f"“{given['monthly_count'][:40]}” is no whole number.")
        values["monthly_count"] = int(digits) if digits else None
    for word in ("kind", "entity", "criticality", "documentation"):
        if word in values:
            values[word] = values[word].lower().replace(" ", "_")
    return Line(InterfaceDoc(**values), number)


def _unguarded(cell: str) -> str:
    """What an export guarded against being run comes back as it was."""
    return cell[1:] if cell.startswith(_GUARDED) else cell


def described(interfaces: Iterable[LegacyInterface]) -> list[dict[str, Any]]:
    """The interfaces with names instead of rows, in their order."""
    found = list(interfaces)
    names = {interface.pk: interface.name for interface in found}
    needs = read_needs(found)
    return [
        {
            **{name: getattr(one, name) for name in COLUMNS if name not in ("wave", "integration", "depends_on")},
            "wave": one.wave.name if one.wave else "",
            "integration": one.integration.name if one.integration else "",
            "depends_on": sorted(names[pk] for pk in needs.get(one.pk, []) if pk in names),
        }
        for one in found
    ]


def as_csv(interfaces: Iterable[LegacyInterface]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS)
    table.writeheader()
    for values in described(interfaces):
        told = {**values, "depends_on": "; ".join(values["depends_on"])}
        table.writerow({name: harmless(told[name]) for name in COLUMNS})
    return out.getvalue()


def as_yaml(customer: Customer, waves: Iterable[MigrationWave], interfaces: Iterable[LegacyInterface]) -> str:
    """All of it; what is empty is left out. Status, comparisons and ticks are history, not part of the text."""
    found = list(interfaces)
    points: Mapping[Any, list[str]] = {
        one.pk: [point.text for point in sorted(one.points.all(), key=lambda point: point.pk)] for one in found
    }
    return as_source(
        {
            "kind": KIND,
            "customer": customer.slug,
            "waves": [_kept(_told_wave(wave)) for wave in waves],
            "interfaces": [
                _kept({**values, "checklist": points[one.pk]})
                for one, values in zip(found, described(found), strict=True)
            ],
        }
    )


def _told_wave(wave: MigrationWave) -> dict[str, Any]:
    return {
        "name": wave.name, "position": wave.position, "goal": wave.goal,
        "starts_on": wave.starts_on.isoformat() if wave.starts_on else "",
        "cut_over_on": wave.cut_over_on.isoformat() if wave.cut_over_on else "",
    }  # fmt: skip


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, str) else value
        for name, value in values.items()
        if value not in ("", None, [])
    }
