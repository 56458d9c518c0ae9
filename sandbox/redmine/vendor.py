"""Keys, anonymous visitors, errors, and what people do at their screens (control plane)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.vendor import Call, Vendor, VendorError, json_response

Row = dict[str, Any]
Maker = Callable[[Account, Row], Row]
MAKERS: dict[str, Maker] = {}
EDITORS: dict[str, Callable[[Account, Row, Row], None]] = {}
SHOWERS: dict[str, Maker] = {}
STATUSES = (
    {"id": 1, "name": "New", "is_closed": False},
    {"id": 2, "name": "In Progress", "is_closed": False},
    {"id": 3, "name": "Resolved", "is_closed": False},
    {"id": 4, "name": "Feedback", "is_closed": False},
    {"id": 5, "name": "Closed", "is_closed": True},
    {"id": 6, "name": "Rejected", "is_closed": True},
)
ARCHIVED = 9
APPROVAL_FIELD = {"id": 1, "name": "Approved", "customized_type": "time_entry", "field_format": "bool"}


class Redmine(Vendor):
    """A request without a good key is an anonymous one: refused where a person is needed, shown nothing elsewhere."""

    name = "redmine"

    def authenticate(self, call: Call) -> None:
        set_up(call.account)

    def error(self, call: Call, error: VendorError) -> Response:
        """Validation errors have a body; for all others the status must do."""
        if error.status == 422:
            return json_response({"errors": error.details.get("errors", [error.message])}, 422)
        headers = {"WWW-Authenticate": 'Basic realm="Redmine API"'} if error.status == 401 else {}
        return Response(b"", status=error.status, headers=headers, content_type="application/json")

    def raw_objects(self, account: Account, kind: str) -> list[dict[str, Any]]:
        set_up(account)
        return [SHOWERS[kind](account, row) for row in account.objects(kind).values()]

    def create_object(self, account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Kinds: users {firstname, lastname, mail}, projects, issues, time_entries {user, hours, spent_on, approved}."""
        set_up(account)
        return SHOWERS[kind](account, MAKERS[kind](account, data))

    def update_object(self, account: Account, kind: str, object_id: str, data: dict[str, Any]) -> dict[str, Any]:
        row = account.objects(kind).get(object_id)
        if row is None:
            raise VendorError(404, "not found")
        EDITORS[kind](account, row, data)
        return SHOWERS[kind](account, account.objects(kind)[object_id])


VENDOR = Redmine()


def set_up(account: Account) -> None:
    if not account.objects("users"):
        MAKERS["users"](account, {"login": "admin", "firstname": "Redmine", "lastname": "Admin", "admin": True})


def visitor(call: Call) -> Row | None:
    """Who asks; None for anonymous. Besides the account's own key, a user's `api_key` is accepted."""
    key = call.request.headers.get("X-Redmine-API-Key", "")
    users = call.account.objects("users")
    if key and key == call.account.credentials().get("api_key"):
        return next(row for row in users.values() if row["admin"])
    return next((row for row in users.values() if key and row.get("api_key") == key), None)


def person(call: Call) -> Row:
    found = visitor(call)
    if found is None:
        raise VendorError(401)
    return found


def administrator(call: Call) -> Row:
    found = person(call)
    if not found["admin"]:
        raise VendorError(403)
    return found


def existing(call: Call, kind: str, object_id: str) -> Row:
    """The object, for somebody who may see it. Anonymous is asked who he is before he is told what there is."""
    person(call)
    row = call.account.objects(kind).get(object_id)
    if row is None:
        raise VendorError(404)
    if call.account.objects("projects").get(str(row.get("project")), {}).get("status") == ARCHIVED:
        raise VendorError(403)
    return row


def refuse(errors: list[str]) -> None:
    if errors:
        raise VendorError(422, "; ".join(errors), errors=errors)


def stamp(account: Account) -> str:
    """Kept with fractions, as the database does; shown without."""
    return account.now().isoformat()


def seconds(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def created(account: Account, kind: str, values: Row) -> Row:
    number = account.next_number(kind)
    now = stamp(account)
    row = {"id": number, **values, "created_on": now, "updated_on": now}
    account.put(kind, str(number), row)
    return row


def saved(account: Account, kind: str, row: Row, values: Row) -> None:
    account.put(kind, str(row["id"]), {**row, **values, "updated_on": stamp(account)})


def named(account: Account, kind: str, object_id: int, name: str) -> Row:
    return {"id": object_id, "name": account.objects(kind)[str(object_id)][name]}


def stamps(row: Row) -> Row:
    return {"created_on": seconds(row["created_on"]), "updated_on": seconds(row["updated_on"])}
