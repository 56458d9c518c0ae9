"""`/query` and `/queryAll`: rows in batches, the rest behind a locator."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.account import Account
from sandbox.salesforce import records
from sandbox.salesforce.schema import CHILDREN, fields_of
from sandbox.salesforce.soql import Condition, Query, parse
from sandbox.salesforce.vendor import VENDOR
from sandbox.vendor import Call, VendorError

Json = dict[str, Any]
BATCH = 2000


@VENDOR.route("/services/data/<version>/query", methods=["GET"])
def query(call: Call, version: str) -> Json:
    return first_batch(call, version, with_deleted=False)


@VENDOR.route("/services/data/<version>/queryAll", methods=["GET"])
def query_all(call: Call, version: str) -> Json:
    return first_batch(call, version, with_deleted=True)


@VENDOR.route("/services/data/<version>/query/<locator>", methods=["GET"])
@VENDOR.route("/services/data/<version>/queryAll/<locator>", methods=["GET"])
def query_more(call: Call, version: str, locator: str) -> Json:
    name, _, start = locator.partition("-")
    rows = call.account.scratch.get(("locator", name))
    if rows is None or not start.isdigit():
        raise VendorError(400, "invalid query locator", code="INVALID_QUERY_LOCATOR")
    return batch(call, version, rows, name, int(start))


def first_batch(call: Call, version: str, *, with_deleted: bool) -> Json:
    rows = run(call.account, parse(call.args.get("q", "")), version, with_deleted=with_deleted)
    return batch(call, version, rows, f"0r8{secrets.token_hex(8)}", 0)


def batch(call: Call, version: str, rows: list[Json], name: str, start: int) -> Json:
    """Setting `batch_size` makes answers shorter, as Salesforce does with wide rows."""
    size = call.account.setting("batch_size", BATCH)
    answer: Json = {"totalSize": len(rows), "done": start + size >= len(rows)}
    if not answer["done"]:
        call.account.scratch["locator", name] = rows
        answer["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{start + size}"
    return {**answer, "records": rows[start : start + size]}


def run(account: Account, found: Query, version: str, *, with_deleted: bool) -> list[Json]:
    known = fields_of(account, found.source)
    if known is None:
        message = f"sObject type '{found.source}' is not supported."
        raise VendorError(400, message, code="INVALID_TYPE")
    if found.source == "Organization" and not account.objects("Organization"):
        records.create(account, "Organization", {"Name": account.setting("name", f"{account.name.title()} Inc.")})
    rows = [row for row in account.objects(found.source).values() if with_deleted or not row["IsDeleted"]]
    _require_paths(account, found)
    chosen = [row for row in rows if found.where is None or holds(account, found.source, row, found.where)]
    if not account.setting("query_ignores_order"):
        for path, descending in reversed(found.order):
            chosen.sort(key=lambda row: _sortable(value_at(account, found.source, row, path)), reverse=descending)
    shown = chosen[: found.limit] if found.limit is not None else chosen
    return [_render(account, found, row, version) for row in shown]


def _render(account: Account, found: Query, row: Json, version: str) -> Json:
    shown = {"attributes": records.attributes(found.source, row["Id"], version)}
    for path in found.fields:
        head, _, tail = path.partition(".")
        if not tail:
            shown[head] = row.get(head)
            continue
        target = records.related(account, found.source, row, head)
        # One level is enough for what is asked here.
        held = shown.get(head) or {"attributes": {"type": head}}
        shown[head] = None if target is None else {**held, tail: target.get(tail)}
    for child in found.children:
        shown[child.source] = _children(account, found, child, row, version)
    return shown


def _children(account: Account, parent: Query, child: Query, row: Json, version: str) -> Json | None:
    sobject, reference = CHILDREN[parent.source, child.source]
    belongs: Condition = ("=", reference, row["Id"])
    where: Condition = ("and", child.where, belongs) if child.where else belongs
    inner = Query(source=sobject, fields=child.fields, where=where, order=child.order, limit=child.limit)
    rows = run(account, inner, version, with_deleted=False)
    return {"totalSize": len(rows), "done": True, "records": rows} if rows else None


def _require_paths(account: Account, found: Query) -> None:
    known = fields_of(account, found.source) or {}
    relationships = {field.relationship for field in known.values()}
    for path in [*found.fields, *(path for path, _ in found.order), *_paths(found.where)]:
        head, _, tail = path.partition(".")
        if head not in (relationships if tail else known) or (head in known and known[head].rule == "write_only"):
            message = f"No such column '{path}' on entity '{found.source}'."
            raise VendorError(400, message, code="INVALID_FIELD")
    for child in found.children:
        if (found.source, child.source) not in CHILDREN:
            message = f"Didn't understand relationship '{child.source}' in FROM part of query call."
            raise VendorError(400, message, code="INVALID_TYPE")


def _paths(condition: Condition | None) -> list[str]:
    if condition is None:
        return []
    operator, left, right = condition
    return [*_paths(left), *_paths(right)] if operator in ("and", "or") else [left]


def holds(account: Account, sobject: str, row: Json, condition: Condition) -> bool:
    operator, left, right = condition
    if operator == "and":
        return holds(account, sobject, row, left) and holds(account, sobject, row, right)
    if operator == "or":
        return holds(account, sobject, row, left) or holds(account, sobject, row, right)
    value = value_at(account, sobject, row, left)
    if operator == "in":
        return value in right
    if operator in ("=", "!="):
        return (_plain(value) == _plain(right)) == (operator == "=")
    if value is None or right is None:
        return False
    return {"<": value < right, "<=": value <= right, ">": value > right, ">=": value >= right}[operator]


def _plain(value: Any) -> Any:
    # SOQL compares text without regard to case, except ids.
    return value.lower() if isinstance(value, str) and len(value) not in (15, 18) else value


def value_at(account: Account, sobject: str, row: Json, path: str) -> Any:
    head, _, tail = path.partition(".")
    if not tail:
        return row.get(head)
    target = records.related(account, sobject, row, head)
    return target.get(tail) if target else None


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, "" if value is None else value)
