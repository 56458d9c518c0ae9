"""`POST /json/2/<model>/<method>` of Odoo 19: a bearer key, named arguments, the bare result."""

from __future__ import annotations

from typing import Any

from sandbox.odoo.methods import execute
from sandbox.odoo.records import odoo_error
from sandbox.odoo.vendor import VENDOR, database_of, is_key
from sandbox.vendor import Call, bearer_token


@VENDOR.route("/json/2/<model>/<method>", methods=["POST"])
def json2(call: Call, model: str, method: str) -> Any:
    if not is_key(call.account, bearer_token(call.request)):
        raise odoo_error("werkzeug.exceptions.Unauthorized", "Invalid apikey")
    wanted = call.request.headers.get("X-Odoo-Database")
    if wanted and wanted != database_of(call.account):
        raise odoo_error("werkzeug.exceptions.NotFound", "no such database")
    arguments = dict(call.json or {})
    ids = arguments.pop("ids", [])
    if ids and method in ("search_read", "create", "load", "fields_get"):
        raise odoo_error("werkzeug.exceptions.UnprocessableEntity", f"cannot call {model}.{method} with ids")
    return execute(call.account, model, method, ids, arguments)
