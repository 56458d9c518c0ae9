"""Lists with conditions and two ways of paging, and JSON Patch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from sandbox.clock import parse_time
from sandbox.connectwise.objects import PATHS, STATUSES, check, kept, make, value_at
from sandbox.connectwise.vendor import API, VENDOR, Row, row_of
from sandbox.vendor import Call, VendorError, json_response

KINDS = {path: kind for kind, path in PATHS.items()}
CLAUSE = re.compile(r'([\w/]+)\s*(=|>=|contains)\s*(\[[^\]]+\]|"(?:[^"\\]|\\.)*"|\d+)')
MAX_PAGE = 1000
DEFAULT_PAGE = 25


def condition(text: str) -> Callable[[Row], bool]:
    """Clauses joined by `and`: texts in quotes, moments in brackets, numbers bare."""
    tests = []
    for clause in filter(None, text.split(" and ")):
        match = CLAUSE.fullmatch(clause.strip())
        if match is None:
            raise VendorError(400, f"Conditions string: {clause} is not a valid clause")
        tests.append(test(*match.groups()))
    return lambda row: all(check(row) for check in tests)


def test(path: str, operator: str, literal: str) -> Callable[[Row], bool]:
    if literal.startswith("["):
        bound = parse_time(literal[1:-1])
        return lambda row: parse_time(row["_info"]["lastUpdated"]) >= bound
    if literal.startswith('"'):
        wanted = re.sub(r"\\(.)", r"\1", literal[1:-1]).lower()
        if operator == "contains":
            return lambda row: wanted in str(value_at(row, path) or "").lower()
        return lambda row: str(value_at(row, path) or "").lower() == wanted
    return lambda row: value_at(row, path) == int(literal)


def kind_of(group: str, name: str) -> str:
    kind = KINDS.get(f"/{group}/{name}")
    if kind is None:
        raise VendorError(404, "no such resource")
    return kind


def held(call: Call, kind: str) -> list[Row]:
    """The service desk's list shows the tickets of projects too."""
    rows = list(call.account.objects(kind).values())
    if kind != "service_tickets":
        return rows
    return rows + [as_service_ticket(row) for row in call.account.objects("project_tickets").values()]


def as_service_ticket(row: Row) -> Row:
    """Only the service desk's view tells the two kinds apart."""
    return {**row, "recordType": "ProjectTicket"}


@VENDOR.route(f"{API}/project/statuses", methods=["GET"])
def project_statuses(call: Call) -> Any:
    return [{"id": number, "name": name, "closedFlag": name == "Closed"} for name, number in STATUSES.items()]


@VENDOR.route(f"{API}/<group>/<name>", methods=["GET"])
def list_objects(call: Call, group: str, name: str) -> Any:
    kind = kind_of(group, name)
    passes = condition(call.args.get("conditions", ""))
    rows = sorted((row for row in held(call, kind) if passes(row)), key=lambda row: row["id"])
    size = min(int(call.args.get("pageSize", DEFAULT_PAGE)), MAX_PAGE)
    if call.request.headers.get("pagination-type") == "forward-only":
        rows = [row for row in rows if row["id"] > int(call.args.get("pageId", 0))]
        following: Row = {"pageId": rows[size - 1]["id"]} if len(rows) > size else {}
    else:
        number = int(call.args.get("page", 1))
        rows = rows[(number - 1) * size :]
        following = {"page": number + 1} if len(rows) > size else {}
    kept_args = {name: value for name, value in call.args.items() if name not in ("pageId", "page")}
    link = f"https://na.myconnectwise.net{call.path}?{urlencode({**kept_args, **following})}"
    return json_response(rows[:size], 200, {"Link": f'<{link}>; rel="next"'} if following else {})


@VENDOR.route(f"{API}/<group>/<name>", methods=["POST"])
def create(call: Call, group: str, name: str) -> Any:
    return make(call.account, kind_of(group, name), call.json), 201


@VENDOR.route(f"{API}/<group>/<name>/<int:object_id>", methods=["GET"])
def read(call: Call, group: str, name: str, object_id: int) -> Any:
    kind = kind_of(group, name)
    if kind == "service_tickets" and str(object_id) in call.account.objects("project_tickets"):
        return as_service_ticket(row_of(call.account, "project_tickets", str(object_id)))
    return row_of(call.account, kind, str(object_id))


@VENDOR.route(f"{API}/<group>/<name>/<int:object_id>", methods=["DELETE"])
def delete(call: Call, group: str, name: str, object_id: int) -> Any:
    """The worst that a real server might do: what was booked on a ticket goes with it."""
    kind = kind_of(group, name)
    row_of(call.account, kind, str(object_id))
    booked = list(call.account.objects("time_entries").values()) if kind.endswith("tickets") else []
    for entry in booked:
        if entry.get("chargeToId") == object_id:
            VENDOR.delete_object(call.account, "time_entries", str(entry["id"]))
    VENDOR.delete_object(call.account, kind, str(object_id))
    return Response(status=204)


@VENDOR.route(f"{API}/<group>/<name>/<int:object_id>", methods=["PATCH"])
def patch(call: Call, group: str, name: str, object_id: int) -> Any:
    """A list of operations; an object instead of it is refused."""
    kind = kind_of(group, name)
    row = row_of(call.account, kind, str(object_id))
    if not isinstance(call.json, list):
        raise VendorError(400, "patch operations must be an array")
    for operation in call.json:
        if operation.get("op") not in ("replace", "add"):
            raise VendorError(400, f"unknown operation {operation.get('op')}")
        row = {**row, operation["path"].lstrip("/"): operation["value"]}
    check(call.account, kind, row)
    return kept(call.account, kind, row, "updated")
