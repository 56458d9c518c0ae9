"""The methods of every model, called by name from either transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.account import Account
from sandbox.odoo import business
from sandbox.odoo.domains import search
from sandbox.odoo.load import load
from sandbox.odoo.records import Row, change, insert, model_of, odoo_error, remove, row_of, show, stored
from sandbox.odoo.schema import LOG_ACCESS, Model
from sandbox.odoo.vendor import USER_ID

Method = Callable[[Account, str, list[int], Row, Row], Any]


def execute(account: Account, model: str, method: str, ids: list[int], arguments: Row) -> Any:
    """The result as JSON. Raises odoo_error."""
    model_of(account, model)
    if name := account.setting("raise_next"):
        account.set_setting("raise_next", None)
        raise odoo_error(str(name), "could not serialize access due to concurrent update")
    context = arguments.pop("context", None) or {}
    if (model, method) in business.BUTTONS:
        return business.BUTTONS[model, method](account, ids, context)
    if method not in METHODS:
        raise odoo_error("builtins.AttributeError", f"The method '{model}.{method}' does not exist")
    return METHODS[method](account, model, ids, arguments, context)


def context_get(account: Account, model: str, ids: list[int], arguments: Row, context: Row) -> Row:
    return {"lang": "en_US", "tz": "Europe/Berlin", "uid": USER_ID}


def fields_get(account: Account, model: str, ids: list[int], arguments: Row, context: Row) -> Row:
    schema = model_of(account, model)
    wanted = arguments.get("allfields") or schema.types
    attributes = arguments.get("attributes")
    told = {name: _described(schema, name) for name in wanted if name in schema.types}
    return {n: {k: v for k, v in about.items() if not attributes or k in attributes} for n, about in told.items()}


def _described(schema: Model, name: str) -> Row:
    label = name.removeprefix("x_").replace("_", " ").capitalize()
    return {
        "type": schema.kind(name), "string": label, "required": name in schema.required,
        "readonly": name in LOG_ACCESS,
    }  # fmt: skip


def search_read(account: Account, model: str, ids: list[int], arguments: Row, context: Row) -> list[Row]:
    options = {name: arguments[name] for name in ("order", "limit", "offset") if arguments.get(name)}
    active_test = bool(context.get("active_test", True))
    rows = search(account, model, arguments.get("domain") or [], active_test=active_test, **options)
    names = arguments.get("fields") or list(model_of(account, model).types)
    return [show(account, model, row, names) for row in rows]


def create(account: Account, model: str, ids: list[int], arguments: Row, context: Row) -> list[int]:
    return [insert(account, model, values)["id"] for values in arguments["vals_list"]]


def write(account: Account, model: str, ids: list[int], arguments: Row, context: Row) -> bool:
    for row_id in ids:
        change(account, model, stored(account, model, row_id), arguments["vals"])
    return True


def load_rows(account: Account, model: str, ids: list[int], arguments: Row, context: Row) -> Row:
    return load(account, model, arguments["fields"], arguments["data"], context)


def unlink(account: Account, model: str, ids: list[int], arguments: Row, context: Row) -> bool:
    for row_id in ids:
        row = row_of(account, model, row_id)
        if row and row.get("state") == "posted":
            raise odoo_error("odoo.exceptions.UserError", "You cannot delete a posted entry.")
        if row:
            remove(account, model, row_id)
    return True


METHODS: dict[str, Method] = {
    "context_get": context_get, "fields_get": fields_get, "search_read": search_read, "create": create, "write": write,
    "unlink": unlink, "load": load_rows,
}  # fmt: skip
