"""Which fields of a record a column of an old result can be compared with, and a first guess from the columns' names.

A token names one: `total` (money in its major unit), `total:minor`, `total:currency`, `duration_seconds:hours`,
`account.name` (of the record it refers to), `@<connection>` (its id in that system).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from msgspec import inspect

from apps.canonical.models import CustomField
from apps.connectors.models import Connection
from apps.connectors.sdk.entities import ENTITIES, REFERENCES, MoneyValue
from apps.flows.models import Integration

# What people know the record by that another one refers to.
TELLING = ("name", "number", "code", "email", "reference", "domain")
# By which of them rows are told apart where the sample does not say.
TOLD_APART: tuple[str, ...] = ("number", "code", "reference", "email", "name")
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "number": ("no", "nr", "invoice no", "invoice number", "document number", "rechnungsnummer", "belegnummer", "id"),
    "name": ("title", "customer", "company", "firm", "bezeichnung", "firma"),
    "total": ("amount", "gross", "gross amount", "invoice total", "betrag", "brutto", "summe"),
    "amount": ("total", "value", "betrag", "sum"),
    "subtotal": ("net", "net amount", "netto"),
    "tax": ("vat", "vat amount", "mwst", "ust"),
    "amount_due": ("open", "open amount", "balance", "saldo"),
    "issue_date": ("date", "invoice date", "rechnungsdatum", "datum"),
    "work_date": ("date", "day", "datum", "tag"),
    "paid_date": ("date", "paid on", "payment date", "datum"),
    "due_date": ("due", "due on", "faellig", "fällig am"),
    "duration_seconds:hours": ("hours", "hrs", "h", "stunden"),
    "description": ("text", "note", "notes", "comment", "beschreibung"),
    "status": ("state", "stage"),
    "account.name": ("account", "customer", "customer name", "client", "company", "kunde"),
    "project.name": ("project", "project name", "projekt", "job"),
    "project.code": ("project code", "project no", "job no", "projektnummer"),
    "resource.name": ("person", "employee", "worker", "user", "mitarbeiter"),
    "currency": ("curr", "ccy", "währung"),
}


_SIMPLE: Mapping[type[inspect.Type], str] = {
    inspect.DateType: "date", inspect.DateTimeType: "datetime", inspect.IntType: "integer", inspect.FloatType: "number",
    inspect.BoolType: "boolean", inspect.LiteralType: "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """`kind`: text, integer, number, boolean, date, datetime, money, minor, currency, hours or id. `path`: where in the data."""

    token: str
    label: str
    kind: str
    path: str
    reference: str = ""


def choices_of(
    entity: str, custom: Iterable[CustomField] = (), systems: Iterable[Connection] = ()
) -> dict[str, FieldChoice]:
    """{token: choice}: the vocabulary's fields in its order, custom ones, those of referred records, ids in systems."""
    found = [*_own(entity), *_of_references(entity)]
    for one in custom:
        found += _variants(one.name, one.label, str(one.kind))
    found += [FieldChoice(f"@{one.pk}", f"Id in {one.name}", "id", str(one.pk)) for one in systems]
    return {choice.token: choice for choice in found}


def custom_fields(customer_id: object, entity: str) -> list[CustomField]:
    own = CustomField.objects.filter(entity=entity, archived_at=None)
    return [one for one in own.order_by("label", "id") if one.only_for_id in (None, customer_id)]


def systems_of(integration: Integration | None) -> list[Connection]:
    """The systems that the integration connects, by name."""
    if integration is None:
        return []
    bound = Connection.objects.filter(role_bindings__integration=integration).distinct()
    return list(bound.order_by("name", "id"))


def date_choices(choices: Mapping[str, FieldChoice]) -> list[FieldChoice]:
    """By which of them records can be cut to a period."""
    return [one for one in choices.values() if one.kind == "date" and not one.reference]


def guess_columns(columns: Sequence[str], choices: Mapping[str, FieldChoice]) -> dict[str, str]:
    """{column: token} for the columns whose name says what it is; each field once."""
    found: dict[str, str] = {}
    for is_loose in (False, True):
        for column in columns:
            token = "" if column in found else _meant(column, choices, set(found.values()), is_loose=is_loose)
            if token:
                found[column] = token
    return {column: found[column] for column in columns if column in found}


def guess_keys(columns: Mapping[str, str], unique: str) -> list[str]:
    """The field of the column that tells the sample's rows apart; else a number or code that is mapped."""
    mapped = list(columns.values())
    preferred = [columns[unique]] if unique in columns else []
    known: list[str] = [token for token in TOLD_APART if token in mapped]
    return (preferred or known)[:1]


def _meant(column: str, choices: Mapping[str, FieldChoice], taken: set[str], *, is_loose: bool) -> str:
    said = _plain(column)
    free = [token for token in choices if token not in taken]
    exact = (token for token in free if said in (_plain(token), _plain(choices[token].label)))
    if not is_loose:
        return next(exact, "")
    found = next((token for token in free if said in map(_plain, _SYNONYMS.get(token, ()))), "")
    if not found and said in ("currency", *_SYNONYMS["currency"]):
        # 100 EUR and 100 USD are not the same, where only the amount itself says which it is.
        of_amounts = [token for token in free if choices[token].kind == "currency"]
        found = next((token for token in of_amounts if choices[token].path in taken), next(iter(of_amounts), ""))
    return found


def _plain(text: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[\W_]+", " ", spaced).lower().split())


@cache
def _own(entity: str) -> tuple[FieldChoice, ...]:
    info = inspect.type_info(ENTITIES[entity])
    assert isinstance(info, inspect.StructType)  # noqa: S101 - all entities are
    return tuple(choice for one in info.fields for choice in _variants(one.name, _label(one.name), _kind(one.type)))


def _of_references(entity: str) -> Iterable[FieldChoice]:
    for name, target in REFERENCES[entity].items():
        for choice in _own(target):
            if choice.token in TELLING:
                label = f"{_label(name)}: {choice.label.lower()}"
                yield FieldChoice(f"{name}.{choice.token}", label, choice.kind, choice.path, name)


def _variants(name: str, label: str, kind: str) -> list[FieldChoice]:
    if kind == "money":
        return [
            FieldChoice(name, label, "money", name),
            FieldChoice(f"{name}:minor", f"{label} in cents", "minor", name),
            FieldChoice(f"{name}:currency", f"Currency of {label.lower()}", "currency", name),
        ]
    if kind == "integer" and name.endswith("_seconds"):
        spoken = label.removesuffix(" seconds")
        return [
            FieldChoice(f"{name}:hours", f"{spoken} in hours", "hours", name),
            FieldChoice(name, f"{spoken} in seconds", "integer", name),
        ]
    return [FieldChoice(name, label, kind, name)] if kind else []


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _kind(info: inspect.Type) -> str:
    """Empty for what is no single value."""
    if isinstance(info, inspect.UnionType):
        kinds = [kind for kind in map(_kind, info.types) if kind]
        return kinds[0] if len(kinds) == 1 else "text" if kinds else ""
    if isinstance(info, inspect.StructType):
        return "money" if info.cls is MoneyValue else ""
    if isinstance(info, inspect.StrType):
        return "number" if info.pattern and r"\d" in info.pattern else "text"
    return _SIMPLE.get(type(info), "")
