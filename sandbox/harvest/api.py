"""The addresses: the same five verbs for every object, and assignments below their project."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.harvest.objects import KINDS, change, make, show
from sandbox.harvest.vendor import VENDOR, Row, listed, refused, row_of
from sandbox.vendor import Call, VendorError

PARTS = ("task_assignments", "user_assignments")
OWN = tuple(kind for kind in KINDS if kind not in PARTS)


@VENDOR.route("/v2/company", methods=["GET"])
def company(call: Call) -> Any:
    name = call.account.name
    return {"base_uri": f"https://{name}.harvestapp.com", "full_domain": f"{name}.harvestapp.com", "name": name.title()}


@VENDOR.route("/v2/users/me", methods=["GET"])
def me(call: Call) -> Any:
    return {
        "id": 1, "first_name": "Token", "last_name": "Owner", "email": "owner@example.org",
        "access_roles": call.account.setting("access_roles", ["administrator"]),
    }  # fmt: skip


@VENDOR.route("/v2/<kind>", methods=["GET"])
def list_objects(call: Call, kind: str) -> Any:
    if kind not in KINDS:
        raise VendorError(404)
    rows = [row for row in call.account.objects(kind).values() if passes(call, row)]
    return listed(call, kind, rows, lambda account, row: show(account, kind, row))


def passes(call: Call, row: Row) -> bool:
    """The filters that Harvest has; it ignores all others."""
    active = call.args.get("is_active")
    if active and "is_active" in row and row["is_active"] != (active == "true"):
        return False
    client = call.args.get("client_id")
    if client and str(row.get("client_id")) != client:
        return False
    reference = call.args.get("external_reference_id")
    return not reference or (row.get("external_reference") or {}).get("id") == reference


@VENDOR.route("/v2/<kind>", methods=["POST"])
def create(call: Call, kind: str) -> Any:
    if kind not in OWN:
        raise VendorError(404)
    body = {**call.json}
    if kind == "time_entries":
        body.setdefault("user_id", 1)
        require_assignments(call, body)
    return show(call.account, kind, make(call.account, kind, body)), 201


def require_assignments(call: Call, body: Row) -> None:
    """Nobody logs time where neither they nor the task belong."""
    for kind, what in (("user_assignments", "user_id"), ("task_assignments", "task_id")):
        rows = call.account.objects(kind).values()
        if not any(a["project_id"] == body["project_id"] and a[what] == body[what] and a["is_active"] for a in rows):
            raise refused(f"{what.removesuffix('_id').capitalize()} is not assigned to this project")


@VENDOR.route("/v2/<kind>/<int:object_id>", methods=["GET"])
def read(call: Call, kind: str, object_id: int) -> Any:
    if kind not in OWN:
        raise VendorError(404)
    return show(call.account, kind, row_of(call.account, kind, str(object_id)))


@VENDOR.route("/v2/<kind>/<int:object_id>", methods=["PATCH"])
def update(call: Call, kind: str, object_id: int) -> Any:
    return show(call.account, kind, change(call.account, kind, row_of(call.account, kind, str(object_id)), call.json))


@VENDOR.route("/v2/<kind>/<int:object_id>", methods=["DELETE"])
def delete(call: Call, kind: str, object_id: int) -> Any:
    row_of(call.account, kind, str(object_id))
    call.account.remove(kind, str(object_id))
    return Response(status=200)


def part_of(call: Call, project_id: int, kind: str, object_id: int) -> Row:
    row = row_of(call.account, kind, str(object_id))
    if kind not in PARTS or row["project_id"] != project_id:
        raise VendorError(404)
    return row


@VENDOR.route("/v2/projects/<int:project_id>/<kind>", methods=["GET"])
def list_parts(call: Call, project_id: int, kind: str) -> Any:
    row_of(call.account, "projects", str(project_id))
    rows = [row for row in call.account.objects(kind).values() if row["project_id"] == project_id]
    return listed(call, kind, rows, lambda account, row: show(account, kind, row))


@VENDOR.route("/v2/projects/<int:project_id>/<kind>", methods=["POST"])
def create_part(call: Call, project_id: int, kind: str) -> Any:
    row_of(call.account, "projects", str(project_id))
    return show(call.account, kind, make(call.account, kind, {**call.json, "project_id": project_id})), 201


@VENDOR.route("/v2/projects/<int:project_id>/<kind>/<int:object_id>", methods=["GET"])
def read_part(call: Call, project_id: int, kind: str, object_id: int) -> Any:
    return show(call.account, kind, part_of(call, project_id, kind, object_id))


@VENDOR.route("/v2/projects/<int:project_id>/<kind>/<int:object_id>", methods=["DELETE"])
def delete_part(call: Call, project_id: int, kind: str, object_id: int) -> Any:
    """Not while time is booked on it."""
    row = part_of(call, project_id, kind, object_id)
    what = "task_id" if kind == "task_assignments" else "user_id"
    entries = call.account.objects("time_entries").values()
    if any(entry["project_id"] == project_id and entry[what] == row[what] for entry in entries):
        raise refused("This assignment has time entries and cannot be deleted")
    call.account.remove(kind, str(object_id))
    return Response(status=200)


@VENDOR.route("/v2/projects/<int:project_id>/<kind>/<int:object_id>", methods=["PATCH"])
def update_part(call: Call, project_id: int, kind: str, object_id: int) -> Any:
    return show(call.account, kind, change(call.account, kind, part_of(call, project_id, kind, object_id), call.json))
