"""CRM search: filter groups, one sort, at most 10,000 results deep, and an index that lags behind."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sandbox.account import Account
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
    found = matching(call.account, kind, body, known)
    chosen = found[after : after + limit]
    results = [records.render(call.account, kind, r, body.get("properties") or None) for r in chosen]
    page: Json = {"total": len(found), "results": results}
    if after + limit < len(found):
        page["paging"] = {"next": {"after": str(after + limit)}}
    return page


def matching(account: Account, kind: str, body: Json, known: Json) -> list[Json]:
    """The records that pass the filters, sorted. Walking a large portal by time stamp starts at the right place."""
    groups = body.get("filterGroups") or []
    if len(groups) > MAX_GROUPS:
        raise VendorError(400, f"at most {MAX_GROUPS} filterGroups")
    name, descending = sort_rule(body.get("sorts") or [], known)
    if account.setting("search_ignores_sorts"):
        name, descending = "hs_object_id", True
    keys, ordered = in_order(account, kind, name, known[name]["type"])
    lists = [group["filters"] for group in groups]
    if len(lists) == 1 and (start := start_of(lists[0], name)):
        ordered = ordered[bisect_left(keys, comparable(known[name]["type"], start["value"])) :]
        lists[0] = [entry for entry in lists[0] if entry is not start]
    tests = [build_group(filters, known) for filters in lists if filters]
    found = [r for r in ordered if any(test(r) for test in tests)] if tests else list(ordered)
    return found[::-1] if descending else found


def start_of(filters: list[Json], name: str) -> Json | None:
    return next((f for f in filters if f["propertyName"] == name and f["operator"] == "GTE"), None)


def in_order(account: Account, kind: str, name: str, type_: str) -> tuple[list[Comparable], list[Json]]:
    place, version = ("sorted", kind, name), account.version(kind)
    lagging = records.has_unindexed(account, kind)
    kept: tuple[int, list[Comparable], list[Json]] = account.scratch.get(place, (-1, [], []))
    if not lagging and kept[0] == version:
        return kept[1], kept[2]
    empty: Comparable = float("-inf") if type_ in ("number", "datetime") else ""
    keyed = [
        (comparable(type_, value) if (value := r["properties"].get(name)) is not None else empty, r)
        for r in records.searchable(account, kind)
    ]
    keyed.sort(key=itemgetter(0))
    keys, ordered = [key for key, _ in keyed], [r for _, r in keyed]
    if not lagging:
        account.scratch[place] = (version, keys, ordered)
    return keys, ordered


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
    return milliseconds(text) if type_ == "datetime" else text.lower()


@lru_cache(maxsize=100_000)
def milliseconds(text: str) -> float:
    # Asked for every record of every search: parsing each time made a page of a large portal take 200 ms.
    return float(text) if text.lstrip("-").isdigit() else round(parse_time(text).timestamp() * 1000)


def sort_rule(sorts: list[Any], known: Json) -> tuple[str, bool]:
    """The property to sort by, and whether downwards."""
    if len(sorts) > 1:
        raise VendorError(400, "only one sort is allowed")
    rule = sorts[0] if sorts else {"propertyName": "hs_object_id", "direction": "ASCENDING"}
    if isinstance(rule, str):
        rule = {"propertyName": rule.lstrip("-"), "direction": "DESCENDING" if rule[:1] == "-" else "ASCENDING"}
    if rule["propertyName"] not in known:
        raise VendorError(400, f"Property {rule['propertyName']} does not exist")
    return rule["propertyName"], rule.get("direction") == "DESCENDING"
