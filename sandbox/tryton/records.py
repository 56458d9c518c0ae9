"""Reading and writing rows the way Tryton's ORM does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.account import Account
from sandbox.tryton.schema import MODELS, Model
from sandbox.tryton.wire import tag_moment
from sandbox.vendor import VendorError

Row = dict[str, Any]
Compute = Callable[[Account, Row], Any]
COMPUTED: dict[tuple[str, str], Compute] = {}


def computed(model: str, field: str) -> Callable[[Compute], Compute]:
    def register(function: Compute) -> Compute:
        COMPUTED[model, field] = function
        return function

    return register


def model_of(name: str) -> Model:
    """A model that does not exist is a KeyError in Tryton, and so a page with status 500."""
    if name not in MODELS:
        raise VendorError(500, f"'{name}'")
    return MODELS[name]


def rows_of(account: Account, model: str) -> list[Row]:
    return list(account.objects(model).values())


def row_of(account: Account, model: str, row_id: int | str | None) -> Row | None:
    return account.objects(model).get(str(row_id))


def children(account: Account, model: str, inverse: str, parent: int) -> list[Row]:
    return [row for row in rows_of(account, model) if row.get(inverse) == parent]


def value(account: Account, model: str, row: Row, field: str) -> Any:
    """One field as stored or computed; relations as ids."""
    schema = model_of(model)
    if field not in schema.fields:
        raise VendorError(500, f"'{field}'")
    if field in schema.many:
        child, inverse = schema.many[field]
        return [found["id"] for found in children(account, child, inverse, row["id"])]
    if (model, field) in COMPUTED:
        return COMPUTED[model, field](account, row)
    return row.get(field)


def read(account: Account, model: str, row: Row, fields: list[str]) -> Row:
    """The named fields; `party.name` comes as `party.` with the id beside it."""
    shown: Row = {"id": row["id"]}
    nested: dict[str, list[str]] = {}
    for name in fields:
        head, _, rest = name.partition(".")
        if rest:
            nested.setdefault(head, []).append(rest)
        elif (model, head) == ("ir.model.log", "resource"):
            # What is gone is not shown, though it can be searched for.
            shown[head] = None
        else:
            shown[head] = value(account, model, row, head)
    for head, rest in nested.items():
        shown[f"{head}."] = read_related(account, model, row, head, rest)
    return shown


def read_related(account: Account, model: str, row: Row, field: str, fields: list[str]) -> Any:
    schema, found = model_of(model), value(account, model, row, field)
    if field in schema.many:
        child = schema.many[field][0]
        return [read(account, child, account.objects(child)[str(i)], fields) for i in found]
    if field not in schema.one:
        raise VendorError(500, "'Reference' object has no attribute 'get_target'")
    target = row_of(account, schema.one[field], found)
    return read(account, schema.one[field], target, fields) if target else None


def insert(account: Account, model: str, values: Row, made: list[tuple[str, str]]) -> Row:
    """A new row and the rows nested in it; every row made is noted so that the caller can undo all of it."""
    schema = model_of(model)
    check_values(account, model, schema, values, creating=True)
    row_id = account.next_number(model)
    now = tag_moment(account.now())
    row: Row = {"id": row_id, "create_date": now, "write_date": None}
    row.update({name: item for name, item in values.items() if name not in schema.many})
    store(account, model, row)
    made.append((model, str(row_id)))
    for name, steps in values.items():
        if name in schema.many:
            row["write_date"] = now
            apply_steps(account, schema.many[name], row_id, steps, made)
    store(account, model, row)
    return row


def apply_steps(
    account: Account, relation: tuple[str, str], parent: int, steps: Any, made: list[tuple[str, str]]
) -> None:
    child, inverse = relation
    for step in steps:
        if step[0] == "create":
            for values in step[1]:
                insert(account, child, {**values, inverse: parent}, made)
        elif step[0] == "write":
            for row_id in step[1]:
                change(account, child, account.objects(child)[str(row_id)], step[2])


def change(account: Account, model: str, row: Row, values: Row) -> None:
    schema = model_of(model)
    check_values(account, model, schema, values, creating=False)
    new = {**row, "write_date": tag_moment(account.now())}
    new.update({name: item for name, item in values.items() if name not in schema.many})
    store(account, model, new)
    for name, steps in values.items():
        if name in schema.many:
            apply_steps(account, schema.many[name], row["id"], steps, [])


def store(account: Account, model: str, row: Row) -> None:
    account.put(model, str(row["id"]), row)


def check_values(account: Account, model: str, schema: Model, values: Row, *, creating: bool) -> None:
    for name, item in values.items():
        if name in schema.readonly:
            raise VendorError(403)
        if name not in schema.fields:
            raise VendorError(500, f"'{name}'")
        if name in schema.one and item is not None and row_of(account, schema.one[name], item) is None:
            raise refusal(f'The value "{item}" for field "{label(name)}" in "{schema.label}" does not exist.')
    for name in schema.required:
        missing = values.get(name) in (None, "") if creating or name in values else False
        if missing:
            raise refusal(f'A value is required for field "{label(name)}" in "{schema.label}".')


def label(field: str) -> str:
    return field.replace("_", " ").title()


def refusal(message: str) -> VendorError:
    """What Tryton calls a user error."""
    return VendorError(400, message)
