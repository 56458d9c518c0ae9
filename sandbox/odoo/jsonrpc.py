"""`POST /jsonrpc`: services `common` and `object`. Always 200; a wrong key at `authenticate` is a plain false."""

from __future__ import annotations

from typing import Any

from sandbox.odoo.methods import execute
from sandbox.odoo.records import odoo_error
from sandbox.odoo.vendor import USER_ID, VENDOR, database_of, is_key
from sandbox.vendor import Call


@VENDOR.route("/jsonrpc", methods=["POST"])
def jsonrpc(call: Call) -> Any:
    params = call.json["params"]
    if params["service"] == "common":
        result: Any = authenticate(call, *params["args"][:3])
    else:
        result = execute_kw(call, params["args"])
    return {"jsonrpc": "2.0", "id": call.json["id"], **({"result": result} if result is not None else {})}


def authenticate(call: Call, database: str, login: str, key: str) -> Any:
    require_database(call, database)
    known = login == call.account.credentials().get("login", "integration@example.com")
    return USER_ID if known and is_key(call.account, key) else False


def execute_kw(call: Call, args: list[Any]) -> Any:
    database, user, key, model, method, positional, *keywords = args
    require_database(call, database)
    if user != USER_ID or not is_key(call.account, key):
        raise odoo_error("odoo.exceptions.AccessDenied", "Access Denied")
    ids = positional[0] if positional else []
    return execute(call.account, model, method, ids, dict(keywords[0]) if keywords else {})


def require_database(call: Call, database: str) -> None:
    if database != database_of(call.account):
        message = f'connection to server failed: FATAL:  database "{database}" does not exist\n'
        raise odoo_error("psycopg2.OperationalError", message)
