"""The routes of Tryton's REST API that take lists and ids."""

from __future__ import annotations

import base64
import json
from typing import Any

from werkzeug.wrappers import Response

from sandbox.tryton import rules
from sandbox.tryton.domains import search
from sandbox.tryton.records import Row, model_of, read, row_of
from sandbox.tryton.vendor import VENDOR
from sandbox.vendor import Call, VendorError

NOT_FOUND = "The requested URL was not found on the server."
NOT_ALLOWED = "You don't have the permission to access the requested resource."


def context_of(call: Call) -> Row:
    header = call.request.headers.get("X-Tryton-Context")
    return dict(json.loads(base64.urlsafe_b64decode(header))) if header else {}


def existing(call: Call, model: str, row_id: int) -> Row:
    model_of(model)
    row = row_of(call.account, model, row_id)
    if row is None:
        raise VendorError(404, NOT_FOUND)
    return row


def shown(call: Call, model: str, row_id: int) -> Row:
    row = existing(call, model, row_id)
    fields = call.args.getlist("f") or ["id"]
    return {**read(call.account, model, row, fields), "__name__": model}


MODEL_OF = {"party": "party.party", "parent": "project.work"}


@VENDOR.route("/rest/model/<model>/<int:row_id>", methods=["GET"])
def get(call: Call, model: str, row_id: int) -> Any:
    return shown(call, model, row_id)


@VENDOR.route("/rest/model/<model>/<int:row_id>", methods=["PUT"])
def update(call: Call, model: str, row_id: int) -> Any:
    rules.changed(call.account, model, existing(call, model, row_id), call.json)
    return shown(call, model, row_id)


@VENDOR.route("/rest/model/<model>/<int:row_id>", methods=["DELETE"])
def delete(call: Call, model: str, row_id: int) -> Any:
    row = existing(call, model, row_id)
    if row.get("state") in ("posted", "paid"):
        raise VendorError(400, f'To delete invoice "{row["number"]}" you must cancel it.')
    invoices = call.account.objects("account.invoice").values()
    if model == "party.party" and any(invoice.get("party") == row_id for invoice in invoices):
        raise VendorError(400, 'The records could not be deleted because they are used on field "party" of "Invoice".')
    # What may be empty is emptied, without a word.
    for work in list(call.account.objects("project.work").values()):
        for field in ("party", "parent"):
            if model == MODEL_OF[field] and work.get(field) == row_id:
                call.account.put("project.work", str(work["id"]), {**work, field: None})
    rules.removed(call.account, model, row_id)
    return Response(status=204)


@VENDOR.route("/rest/model/<model>/<int:row_id>/<action>", methods=["POST"])
def press(call: Call, model: str, row_id: int, action: str) -> Any:
    if (model, action) != ("account.invoice", "post"):
        raise VendorError(403, NOT_ALLOWED)
    rules.post_invoice(call.account, existing(call, model, row_id), context_of(call))
    return shown(call, model, row_id)


@VENDOR.route("/rest/model/<model>/create", methods=["POST"])
def create(call: Call, model: str) -> Any:
    """All or nothing: the whole list is one transaction."""
    model_of(model)
    made: list[tuple[str, str]] = []
    try:
        return [rules.new_row(call.account, model, row, context_of(call), made)["id"] for row in call.json["vlist"]]
    except VendorError:
        for kind, row_id in made:
            call.account.remove(kind, row_id)
        raise


@VENDOR.route("/rest/model/<model>/search_read", methods=["POST"])
def search_read(call: Call, model: str) -> Any:
    """Models of modules that are not activated (`hidden_models`) break the server like those that never were."""
    if model in call.account.setting("hidden_models", []):
        raise VendorError(500, f"'{model}'")
    model_of(model)
    body = call.json
    rows = search(call.account, model, body.get("domain") or [], body.get("order"), body.get("limit"))
    offset = body.get("offset") or 0
    return [read(call.account, model, row, body["fields_names"]) for row in rows[offset:]]


@VENDOR.route("/rest/model/<model>/<action>", methods=["POST"])
def act(call: Call, model: str, action: str) -> Any:
    raise VendorError(403, NOT_ALLOWED)
