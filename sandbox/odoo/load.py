"""Odoo's import, `load`: text cells, external ids, lines in rows of their own, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from sandbox.account import Account
from sandbox.odoo.records import (
    USER_ERROR,
    VALIDATION_ERROR,
    Row,
    change,
    insert,
    model_of,
    row_of,
    rows_of,
    title,
)
from sandbox.odoo.schema import Model
from sandbox.vendor import VendorError


class CellError(Exception):
    """A cell that cannot be read; `args` are message and field."""


def load(account: Account, model: str, fields: list[str], data: list[list[str]], context: Row) -> Row:
    schema = model_of(account, model)
    paths = [field.split("/") for field in fields]
    messages: list[Row] = []
    ids: list[int] = []
    undo: list[Callable[[], None]] = []
    for number, span in enumerate(spans(schema, paths, data)):
        info = {"record": number, "rows": span["rows"], "type": "error"}
        try:
            values = converted(account, schema, paths, span["cells"])
            ids.append(upsert(account, model, span["cells"][0], paths, values, context, undo))
        except CellError as error:
            messages.append({**info, "message": error.args[0], "field": error.args[1]})
        except VendorError as error:
            if error.details.get("name") not in (USER_ERROR, VALIDATION_ERROR, "odoo.exceptions.MissingError"):
                raise
            # The failed batch reports first, under the number of its first record whoever was to blame.
            if not messages and len(data) > 1:
                messages.append({"record": 0, "rows": {"from": 0, "to": 0}, "type": "error", "message": error.message})
            messages.append({**info, "message": error.message})
    if messages:
        for step in reversed(undo):
            step()
        return {"ids": False, "messages": messages, "nextrow": 0}
    return {"ids": ids, "messages": [], "nextrow": 0}


def spans(schema: Model, paths: list[list[str]], data: list[list[str]]) -> list[Row]:
    """Rows by record: one whose only values are lines belongs to the record above it."""
    many = [number for number, path in enumerate(paths) if kind_of(schema, path[0]) == "one2many"]
    found: list[Row] = []
    for index, row in enumerate(data):
        only_lines = any(row[n] for n in many) and not any(row[n] for n in range(len(row)) if n not in many)
        if found and only_lines:
            found[-1]["cells"].append(row)
            found[-1]["rows"]["to"] = index
        else:
            found.append({"cells": [row], "rows": {"from": index, "to": index}})
    return found


def kind_of(schema: Model, name: str) -> str:
    if name in ("id", ".id"):
        return "id"
    if name not in schema.types:
        raise VendorError(500, f"Invalid field name {name!r}", name="builtins.ValueError")
    return schema.kind(name)


def converted(account: Account, schema: Model, paths: list[list[str]], rows: list[list[str]]) -> Row:
    values: Row = {}
    for number, path in enumerate(paths):
        kind = kind_of(schema, path[0])
        if kind == "one2many":
            child = model_of(account, schema.relation(path[0])[0])
            items = values.setdefault(path[0], [{} for _ in rows])
            for item, row in zip(items, rows, strict=True):
                item[path[1]] = cell(account, child, path[1:], row[number])
        elif kind != "id":
            values[path[0]] = cell(account, schema, path, rows[0][number])
    return values


def cell(account: Account, schema: Model, path: list[str], text: str) -> Any:
    """An empty cell is false, which clears the field; it is not "leave it alone"."""
    name, kind = path[0], schema.kind(path[0])
    if not isinstance(text, str):
        raise VendorError(
            500, f"'{type(text).__name__}' object has no attribute 'lower'", name="builtins.AttributeError"
        )
    if not text:
        return [] if kind == "many2many" else False
    try:
        if kind in ("many2one", "many2many"):
            return reference(account, schema, path, text)
        if kind in ("float", "monetary"):
            return float(text)
        if kind == "integer":
            return int(text)
        if kind == "date":
            return date.fromisoformat(text).isoformat()
    except ValueError:
        raise CellError(f"'{text}' does not seem to be a valid value for field '{title(name)}'", name) from None
    return text.lower() in ("1", "true", "yes") if kind == "boolean" else text


def reference(account: Account, schema: Model, path: list[str], text: str) -> Any:
    model = schema.relation(path[0])[0]
    if len(path) > 1:
        found = [row_of(account, model, int(part)) for part in text.split(",")]
    else:
        found = [next((row for row in rows_of(account, model) if row.get("name") == text), None)]
    ids = [row["id"] for row in found if row]
    if len(ids) != len(found):
        what = "database id" if len(path) > 1 else "name"
        raise CellError(f"No matching record found for {what} '{text}' in field '{title(path[0])}'", path[0])
    return ids if schema.kind(path[0]) == "many2many" else ids[0]


def upsert(
    account: Account, model: str, row: list[str], paths: list[list[str]], values: Row, context: Row,
    undo: list[Callable[[], None]],
) -> int:  # fmt: skip
    keys = {path[0]: row[number] for number, path in enumerate(paths) if path[0] in ("id", ".id")}
    existing = None
    if keys.get(".id"):
        existing = row_of(account, model, keys[".id"])
        if existing is None or (context.get("active_test", True) and not existing.get("active", True)):
            raise CellError(f"Unknown database identifier '{keys['.id']}'", ".id")
    module, _, name = (keys.get("id") or "").partition(".")
    module, name = (module, name) if name else ("", module)
    module = module or str(context.get("module", "__import__"))
    if name:
        known = next((d for d in rows_of(account, "ir.model.data") if (d["module"], d["name"]) == (module, name)), None)
        existing = row_of(account, model, known["res_id"]) if known else None
    if existing is not None:
        undo.append(lambda: account.put(model, str(existing["id"]), existing))
        return int(change(account, model, existing, values)["id"])
    made = insert(account, model, values)
    undo.append(lambda: account.remove(model, str(made["id"])))
    if name:
        data = insert(account, "ir.model.data", {"module": module, "name": name, "model": model, "res_id": made["id"]})
        undo.append(lambda: account.remove("ir.model.data", str(data["id"])))
    return int(made["id"])
