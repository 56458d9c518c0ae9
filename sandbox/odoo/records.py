"""Rows the way Odoo's ORM keeps and shows them: false for nothing, pairs for references, moments without a zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sandbox.account import Account
from sandbox.odoo.schema import Model, model_in
from sandbox.vendor import VendorError

Row = dict[str, Any]
EMPTY: dict[str, Any] = {"one2many": [], "many2many": [], "integer": 0, "float": 0.0, "monetary": 0.0}
USER_ERROR = "odoo.exceptions.UserError"
VALIDATION_ERROR = "odoo.exceptions.ValidationError"
STATUSES = {
    USER_ERROR: 422, VALIDATION_ERROR: 422, "odoo.exceptions.AccessError": 403, "odoo.exceptions.AccessDenied": 403,
    "odoo.exceptions.MissingError": 404, "werkzeug.exceptions.NotFound": 404, "werkzeug.exceptions.Unauthorized": 401,
}  # fmt: skip
After = Callable[[Account, Row], None]
AFTER_WRITE: dict[str, After] = {}


def odoo_error(name: str, message: str) -> VendorError:
    """An exception by its Python name; the transport decides how it looks."""
    return VendorError(STATUSES.get(name, 500), message, name=name)


def after_write(model: str) -> Callable[[After], After]:
    """What Odoo computes whenever such a record was created or changed."""

    def register(function: After) -> After:
        AFTER_WRITE[model] = function
        return function

    return register


def version_of(account: Account) -> int:
    return int(account.setting("version", 17))


def model_of(account: Account, name: str) -> Model:
    found = model_in(name, version_of(account))
    if found is None or name in account.setting("missing_models", []):
        if version_of(account) >= 19:
            raise odoo_error("werkzeug.exceptions.NotFound", f"the model {name!r} does not exist")
        raise odoo_error(USER_ERROR, f"Object {name} doesn't exist")
    # What the firm's own people added, as {model: {field: type}}.
    own = account.setting("custom_fields", {}).get(name)
    return replace(found, fields={**found.fields, **own}) if own else found


def rows_of(account: Account, model: str) -> list[Row]:
    return list(account.objects(model).values())


def row_of(account: Account, model: str, row_id: Any) -> Row | None:
    return account.objects(model).get(str(row_id)) if row_id else None


def stored(account: Account, model: str, row_id: int) -> Row:
    found = row_of(account, model, row_id)
    if found is None:
        message = f"Record does not exist or has been deleted.\n(Record: {model}({row_id},), User: 2)"
        raise odoo_error("odoo.exceptions.MissingError", message)
    return found


def children(account: Account, relation: list[str], parent: int) -> list[Row]:
    model, inverse = relation
    return [row for row in rows_of(account, model) if row.get(inverse) == parent]


def save(account: Account, model: str, row: Row, *, touch: bool = True) -> Row:
    row = {**row, "write_date": account.now().isoformat()} if touch else row
    account.put(model, str(row["id"]), row)
    return row


def insert(account: Account, model: str, values: Row) -> Row:
    """A new row, complete: required values are there, references exist, what is computed is computed."""
    schema = model_of(account, model)
    values = {**schema.defaults, **values}
    check(account, model, schema, values, names=schema.required)
    row: Row = {"id": account.next_number(model), "create_date": account.now().isoformat()}
    lines = {name: values.pop(name) for name in list(values) if schema.kind(name) == "one2many"}
    row = save(account, model, {**row, **values})
    for name, items in lines.items():
        child, inverse = schema.relation(name)
        for item in items or []:
            insert(account, child, {**item, inverse: row["id"]})
    settle(account, model, row["id"])
    return account.objects(model)[str(row["id"])]


def change(account: Account, model: str, row: Row, values: Row) -> Row:
    schema = model_of(account, model)
    check(account, model, schema, values, names=tuple(name for name in schema.required if name in values))
    save(account, model, {**row, **values})
    settle(account, model, row["id"])
    return account.objects(model)[str(row["id"])]


def settle(account: Account, model: str, row_id: int) -> None:
    if model in AFTER_WRITE:
        AFTER_WRITE[model](account, account.objects(model)[str(row_id)])


def remove(account: Account, model: str, row_id: int) -> None:
    """With its lines and its external ids; nothing tells that it ever was."""
    for kind in model_of(account, model).types.values():
        if kind.startswith("one2many"):
            for child in children(account, kind.split(" ")[1:], row_id):
                account.remove(kind.split(" ")[1], str(child["id"]))
    for data in rows_of(account, "ir.model.data"):
        if data["model"] == model and data["res_id"] == row_id:
            account.remove("ir.model.data", str(data["id"]))
    account.remove(model, str(row_id))


def check(account: Account, model: str, schema: Model, values: Row, *, names: tuple[str, ...]) -> None:
    for name in values:
        if name not in schema.types:
            raise odoo_error("builtins.ValueError", f"Invalid field {name!r} on model {model!r}")
        if schema.kind(name) == "many2one" and values[name]:
            stored(account, schema.relation(name)[0], values[name])
    for name in names:
        if values.get(name) in (None, False, ""):
            raise odoo_error(VALIDATION_ERROR, f"Missing required value for the field '{title(name)}' ({name})")


def title(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ").title()


def show(account: Account, model: str, row: Row, names: list[str]) -> Row:
    """As `read` gives it."""
    schema = model_of(account, model)
    shown: Row = {"id": row["id"]}
    for name in names:
        if name not in schema.types:
            raise odoo_error("builtins.ValueError", f"Invalid field {name!r} on model {model!r}")
        shown[name] = shown_value(account, model, schema, row, name)
    return shown


def shown_value(account: Account, model: str, schema: Model, row: Row, name: str) -> Any:
    kind, value = schema.kind(name), row.get(name)
    if kind == "one2many":
        return [child["id"] for child in children(account, schema.relation(name), row["id"])]
    if kind == "datetime":
        return wire_moment(value) if value else False
    if kind == "many2one":
        target = row_of(account, schema.relation(name)[0], value)
        return [target["id"], display_name(target)] if target else False
    if value is None or value is False:
        return EMPTY.get(kind, False)
    return value


def display_name(row: Row) -> str:
    return str(row.get("name") or row.get("login") or row["id"])


def wire_moment(text: str) -> str:
    """Kept to the microsecond, told to the second."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
