"""Judges JSON by an XML schema: names, nesting, lists, numbers, dates and enumerations, types that it does not hold excepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

XS = "{http://www.w3.org/2001/XMLSchema}"
# Attributes of the XML form that the JSON form writes as members; not part of any sequence.
MEMBERS_OF_ALL = {"domain", "sparse", "Id", "SyncToken", "MetaData", "status"}
Element = tuple[str, bool]


class Schema:
    """`errors("Invoice", body)` lists what is wrong, with the place."""

    def __init__(self, path: Path) -> None:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - a vendor's published schema
        self.types = {node.get("name"): node for node in root if node.tag in (f"{XS}complexType", f"{XS}simpleType")}

    def errors(self, type_name: str, value: Any, place: str = "") -> list[str]:
        node = self.types.get(type_name)
        if node is None:
            return list(_simple_errors(type_name, value, place))
        if node.tag == f"{XS}simpleType":
            allowed = {entry.get("value") for entry in node.iter(f"{XS}enumeration")}
            return (
                [f"{place}: {value!r} is not one of the values of {type_name}"]
                if allowed and value not in allowed
                else []
            )
        return list(self._complex_errors(type_name, value, place))

    def _complex_errors(self, type_name: str, value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place}: expected an object of {type_name}"
            return
        known = self.elements(type_name)
        for name, member in value.items():
            where = f"{place}/{name}"
            if name not in known:
                if name not in MEMBERS_OF_ALL:
                    yield f"{where}: unknown to {type_name}"
                continue
            kind, is_list = known[name]
            if is_list != isinstance(member, list):
                yield f"{where}: {'a list' if is_list else 'a single value'} expected"
                continue
            for entry in member if is_list else [member]:
                yield from self.errors(kind, entry, where)

    def elements(self, type_name: str) -> dict[str, Element]:
        """Every element of the type and the types it extends: its type and whether it may be repeated."""
        node = self.types[type_name]
        extension = node.find(f"{XS}complexContent/{XS}extension")
        base = extension.get("base", "") if extension is not None else ""
        found = dict(self.elements(base)) if base in self.types else {}
        for element in node.iter(f"{XS}element"):
            name = element.get("name") or element.get("ref", "")
            found[name] = (element.get("type", ""), element.get("maxOccurs", "1") != "1")
        return found


@cache
def finance_schema(evidence: Path) -> Schema:
    return Schema(evidence / "specs/quickbooks/Finance.xsd")


def _simple_errors(type_name: str, value: Any, place: str) -> Iterator[str]:
    if type_name in ("xs:decimal", "xs:positiveInteger", "xs:integer", "xs:int"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not _is_decimal(value):
            yield f"{place}: {value!r} is not a JSON number"
    elif type_name == "xs:date" and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)):
        yield f"{place}: {value!r} is not a date"
    elif type_name == "xs:boolean" and not isinstance(value, bool):
        yield f"{place}: {value!r} is not true or false"
    elif type_name == "xs:string" and not isinstance(value, str):
        yield f"{place}: {value!r} is not a text"
    elif type_name == "ReferenceType" and not (isinstance(value, dict) and isinstance(value.get("value"), str)):
        # Declared in a schema of its own: the text is the id, the attribute the name.
        yield f"{place}: {value!r} is not a reference"


def _is_decimal(value: Any) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False
