"""Users: listed for administrators only, active ones unless asked otherwise, and without saying who is locked."""

from __future__ import annotations

from typing import Any

from sandbox.account import Account
from sandbox.redmine.listing import listed, ordered
from sandbox.redmine.vendor import (
    APPROVAL_FIELD,
    EDITORS,
    MAKERS,
    SHOWERS,
    VENDOR,
    Row,
    administrator,
    created,
    existing,
    person,
    saved,
    stamps,
)
from sandbox.vendor import Call

ACTIVE = 1


def make_user(account: Account, data: Row) -> Row:
    login = data.get("login") or data["firstname"].lower()
    values = {
        "login": login, "firstname": data["firstname"], "lastname": data["lastname"],
        "mail": data.get("mail") or f"{login}@example.net", "admin": bool(data.get("admin")),
        "status": ACTIVE, "api_key": data.get("api_key"),
    }  # fmt: skip
    return created(account, "users", values)


MAKERS["users"] = make_user
EDITORS["users"] = lambda account, row, data: saved(account, "users", row, data)
SHOWERS["users"] = lambda account, row: full(row)


def short(row: Row) -> Row:
    names = ("id", "login", "admin", "firstname", "lastname", "mail")
    return {**{name: row[name] for name in names}, **stamps(row), "last_login_on": None, "twofa_scheme": None}


def full(row: Row) -> Row:
    return {**short(row), "api_key": row["api_key"] or "", "status": row["status"]}


@VENDOR.route("/users/current.json", methods=["GET"])
def current(call: Call) -> Any:
    return {"user": full(person(call))}


@VENDOR.route("/users.json", methods=["GET"])
def users(call: Call) -> Any:
    administrator(call)
    rows = list(call.account.objects("users").values())
    status = call.args.get("status", str(ACTIVE))
    if status:
        rows = [row for row in rows if str(row["status"]) == status]
    rows = ordered(call, rows, ("login", "firstname", "lastname", "created_on"), [("login", False)])
    return listed(call, "users", rows, short)


@VENDOR.route("/users/<object_id>.json", methods=["GET"])
def user(call: Call, object_id: str) -> Any:
    return {"user": full(existing(call, "users", object_id))}


@VENDOR.route("/custom_fields.json", methods=["GET"])
def custom_fields(call: Call) -> Any:
    administrator(call)
    return {"custom_fields": [APPROVAL_FIELD]}
