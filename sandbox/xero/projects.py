"""The projects API: camel case, its own pages and errors, nothing that tells a change.

After the official description; `estimateAmount` that is sent comes back as `estimate`.
"""

from __future__ import annotations

import uuid
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.vendor import Call, VendorError, json_response
from sandbox.xero.vendor import VENDOR
from sandbox.xero.wire import JsonDict

API = "/projects.xro/2.0"
IDS = {"projects": "projectId", "tasks": "taskId", "time_entries": "timeEntryId", "project_users": "userId"}
PARTS = {"Tasks": "tasks", "Time": "time_entries"}
NEEDED = {"projects": ("name",), "tasks": ("name", "rate", "chargeType"), "time_entries": ("userId", "taskId", "dateUtc", "duration")}  # fmt: skip


def save(account: Account, kind: str, data: JsonDict, held: JsonDict | None = None) -> JsonDict:
    row = {**(held or _new(account, kind)), **data}
    missing = [name for name in NEEDED.get(kind, ()) if row.get(name) in (None, "")]
    if missing:
        raise VendorError(400, f"{missing[0]} is required", type="ModelState")
    if kind == "projects" and row.get("contactId") not in account.objects("contacts"):
        raise VendorError(400, "contactId is not a contact of this organisation", type="ModelState")
    if kind == "time_entries" and row["taskId"] not in account.objects("tasks"):
        raise VendorError(400, "taskId is not a task of this project", type="ModelState")
    if "estimateAmount" in data:
        row["estimate"] = {"currency": row["currencyCode"], "value": row.pop("estimateAmount")}
    account.put(kind, row[IDS[kind]], row)
    return row


def _new(account: Account, kind: str) -> JsonDict:
    start: JsonDict = {IDS[kind]: str(uuid.uuid4())}
    if kind == "projects":
        return {**start, "status": "INPROGRESS", "currencyCode": str(account.setting("base_currency", "EUR"))}
    return start if kind == "project_users" else {**start, "status": "ACTIVE"}


def paged(call: Call, rows: list[JsonDict]) -> JsonDict:
    page, size = int(call.args.get("page", 1)), int(call.args.get("pageSize", 50))
    if not 1 <= size <= 500:
        raise VendorError(400, "pageSize must be between 1 and 500", type="ModelState")
    count = -(-len(rows) // size)
    about = {"page": page, "pageSize": size, "pageCount": count, "itemCount": len(rows)}
    return {"pagination": about, "items": rows[(page - 1) * size : page * size]}


def row_of(call: Call, kind: str, object_id: str) -> JsonDict:
    row = call.account.objects(kind).get(object_id)
    if row is None:
        raise VendorError(404)
    return row


def parts_of(call: Call, project: str, part: str) -> list[JsonDict]:
    row_of(call, "projects", project)
    return [row for row in call.account.objects(PARTS[part]).values() if row["projectId"] == project]


def remembered(call: Call, kind: str, data: JsonDict) -> JsonDict:
    """A key that was sent before is answered as then."""
    key = call.request.headers.get("Idempotency-Key", "")
    known = call.account.objects("project_keys").get(key)
    if known:
        return row_of(call, kind, known["id"])
    row = save(call.account, kind, data)
    if key:
        call.account.put("project_keys", key, {"id": row[IDS[kind]]})
    return row


@VENDOR.route(f"{API}/Projects", methods=["GET"])
def projects(call: Call) -> Any:
    return paged(call, list(call.account.objects("projects").values()))


@VENDOR.route(f"{API}/ProjectsUsers", methods=["GET"])
def users(call: Call) -> Any:
    return paged(call, list(call.account.objects("project_users").values()))


@VENDOR.route(f"{API}/Projects", methods=["POST"])
def create_project(call: Call) -> Any:
    return json_response(remembered(call, "projects", call.json), 201)


@VENDOR.route(f"{API}/Projects/<project>", methods=["GET"])
def project(call: Call, project: str) -> Any:
    return row_of(call, "projects", project)


@VENDOR.route(f"{API}/Projects/<project>", methods=["PUT", "PATCH"])
def change_project(call: Call, project: str) -> Any:
    row = row_of(call, "projects", project)
    if call.request.method == "PUT" and row["status"] == "CLOSED":
        raise VendorError(400, "A closed project cannot be changed", type="ModelState")
    save(call.account, "projects", call.json, row)
    return Response(status=204)


@VENDOR.route(f"{API}/Projects/<project>/<any(Tasks, Time):part>", methods=["GET"])
def parts(call: Call, project: str, part: str) -> Any:
    return paged(call, parts_of(call, project, part))


@VENDOR.route(f"{API}/Projects/<project>/<any(Tasks, Time):part>", methods=["POST"])
def create_part(call: Call, project: str, part: str) -> Any:
    row_of(call, "projects", project)
    made = remembered(call, PARTS[part], {**call.json, "projectId": project})
    return json_response(made, 201 if part == "Tasks" else 200)


@VENDOR.route(f"{API}/Projects/<project>/<any(Tasks, Time):part>/<object_id>", methods=["GET"])
def part_of(call: Call, project: str, part: str, object_id: str) -> Any:
    row = row_of(call, PARTS[part], object_id)
    if row["projectId"] != project:
        raise VendorError(404)
    return row


@VENDOR.route(f"{API}/Projects/<project>/<any(Tasks, Time):part>/<object_id>", methods=["PUT"])
def change_part(call: Call, project: str, part: str, object_id: str) -> Any:
    save(call.account, PARTS[part], call.json, part_of(call, project, part, object_id))
    return Response(status=204)


@VENDOR.route(f"{API}/Projects/<project>/<any(Tasks, Time):part>/<object_id>", methods=["DELETE"])
def delete_part(call: Call, project: str, part: str, object_id: str) -> Any:
    """What is invoiced stays."""
    if part_of(call, project, part, object_id)["status"] != "ACTIVE":
        raise VendorError(400, "It is invoiced and cannot be deleted", type="ModelState")
    call.account.remove(PARTS[part], object_id)
    return Response(status=204)
