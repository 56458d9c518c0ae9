"""CRM search: filter groups, one sort, at most 10,000 results deep, and an index that lags behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.clock import parse_time
from sandbox.hubspot import records
from sandbox.hubspot.objects import kind_of
from sandbox.hubspot.schema import properties
from sandbox.hubspot.vendor import VENDOR
from sandbox.vendor import Call, VendorError

MAX_DEPTH = 10_000
MAX_LIMIT = 200
MAX_GROUPS = 5
MAX_FILTERS = 6
Json = dict[str, Any]
Comparable = float | str
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda a, b: a == b,
    "NEQ": lambda a, b: a != b,
    "LT": lambda a, b: a < b,
    "LTE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
}


@VENDOR.route("/crm/v3/objects/<name>/search", methods=["POST"])
def search(call: Call, name: str) -> Json:
    kind = kind_of(name)
    body = call.json or {}
    limit, after = int(body.get("limit", 10)), int(body.get("after") or 0)
    if limit > MAX_LIMIT:
        raise VendorError(400, f"limit must be at most {MAX_LIMIT}")
    if after + limit > MAX_DEPTH:
        raise VendorError(400, f"The maximum number of search results is {MAX_DEPTH}")
    known = properties(call.account, kind)
    tests = [build_group(group["filters"], known) for group in body.get("filterGroups") or []]
    if len(tests) > MAX_GROUPS:
        raise VendorError(400, f"at most {MAX_GROUPS} filterGroups")
    found = [r for r in records.searchable(call.account, kind) if not tests or any(test(r) for test in tests)]
    sort(found, body.get("sorts") or [], known)
    chosen = found[after : after + limit]
    results = [records.render(call.account, kind, r, body.get("properties") or None) for r in chosen]
    page: Json = {"total": len(found), "results": results}
    if after + limit < len(found):
        page["paging"] = {"next": {"after": str(after + limit)}}
    return page


def build_group(filters: list[Json], known: Json) -> Callable[[Json], bool]:
    if len(filters) > MAX_FILTERS:
        raise VendorError(400, f"at most {MAX_FILTERS} filters in a group")
    tests = [build_filter(entry, known) for entry in filters]
    return lambda record: all(test(record) for test in tests)


def build_filter(entry: Json, known: Json) -> Callable[[Json], bool]:
    name, operator = entry["propertyName"], entry["operator"]
    if name not in known:
        raise VendorError(400, f"There was a problem with the request. Property {name} does not exist")
    type_ = known[name]["type"]
    if operator in COMPARE:
        wanted, compare = comparable(type_, entry["value"]), COMPARE[operator]
        return lambda r: (value := r["properties"].get(name)) is not None and compare(comparable(type_, value), wanted)
    if operator == "BETWEEN":
        low, high = comparable(type_, entry["value"]), comparable(type_, entry["highValue"])
        return lambda r: (v := r["properties"].get(name)) is not None and low <= comparable(type_, v) <= high  # type: ignore[operator]
    if operator in ("IN", "NOT_IN"):
        values = {str(value) for value in entry["values"]}
        return lambda r: (r["properties"].get(name) in values) == (operator == "IN")
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda r: (r["properties"].get(name) is not None) == (operator == "HAS_PROPERTY")
    if operator == "CONTAINS_TOKEN":
        token = entry["value"].strip("*").lower()
        return lambda r: token in (r["properties"].get(name) or "").lower()
    raise VendorError(400, f"Invalid input JSON: {operator} is not an operator")


def comparable(type_: str, value: Any) -> Comparable:
    text = str(value)
    if type_ == "number":
        return float(text)
    if type_ == "datetime":
        return float(text) if text.lstrip("-").isdigit() else parse_time(text).timestamp() * 1000
    return text.lower()


def sort(found: list[Json], sorts: list[Any], known: Json) -> None:
    if len(sorts) > 1:
        raise VendorError(400, "only one sort is allowed")
    rule = sorts[0] if sorts else {"propertyName": "hs_object_id", "direction": "ASCENDING"}
    if isinstance(rule, str):
        rule = {"propertyName": rule.lstrip("-"), "direction": "DESCENDING" if rule[:1] == "-" else "ASCENDING"}
    name = rule["propertyName"]
    if name not in known:
        raise VendorError(400, f"Property {name} does not exist")
    type_ = known[name]["type"]
    empty: Comparable = float("-inf") if type_ in ("number", "datetime") else ""
    found.sort(
        key=lambda r: comparable(type_, value) if (value := r["properties"].get(name)) is not None else empty,
        reverse=rule.get("direction") == "DESCENDING",
    )
