"""Tokens, errors with their strange phrases, deliveries signed with the secret of the handshake."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.clock import iso_millis
from sandbox.vendor import Call, Vendor, VendorError, bearer_token, json_response

Row = dict[str, Any]
WORKSPACE = "1200000000000001"


class Asana(Vendor):
    name = "asana"

    def authenticate(self, call: Call) -> None:
        known = call.account.credentials().get("access_token")
        if not known or bearer_token(call.request) != known:
            raise VendorError(401, "Not Authorized")

    def error(self, call: Call, error: VendorError) -> Response:
        entry = {"message": error.message or "Server Error", "help": "For more information on API status codes"}
        if error.status >= 500:
            entry["phrase"] = "6 sad squid snuggle softly"
        return json_response({"errors": [entry]}, error.status)

    def create_object(self, account: Account, kind: str, data: Row) -> Row:
        from sandbox.asana.api import make

        return make(account, kind, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: Row) -> Row:
        from sandbox.asana.api import kept

        return kept(account, kind, {**row_of(account, kind, object_id), **data}, "changed")

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        row = row_of(account, kind, object_id)
        account.remove(kind, object_id)
        announce(account, row, "deleted")

    def webhook_body(self, account: Account, events: list[dict[str, Any]]) -> bytes:
        return json.dumps({"events": events}, separators=(",", ":")).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        return {"X-Hook-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


VENDOR = Asana()


def row_of(account: Account, kind: str, object_id: str) -> Row:
    row = account.objects(kind).get(object_id)
    if row is None:
        raise VendorError(404, f"{kind[:-1]}: Unknown object: {object_id}")
    return row


def announce(account: Account, row: Row, action: str) -> None:
    resource = {name: row[name] for name in ("gid", "resource_type", "resource_subtype") if name in row}
    account.emit(
        {
            "user": {"gid": "1", "resource_type": "user"}, "created_at": iso_millis(account.now()), "action": action,
            "resource": resource, "parent": None,
        }
    )  # fmt: skip
