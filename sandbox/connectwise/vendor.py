"""Keys, the client id, errors, and signed callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.vendor import Call, Vendor, VendorError, json_response

Row = dict[str, Any]
API = "/v4_6_release/apis/3.0"
COMPANY, PUBLIC_KEY, CLIENT_ID = "acme", "pub-1", "client-1"
CODES = {400: "InvalidObject", 401: "Unauthorized", 403: "SecurityViolation", 404: "NotFound", 409: "ObjectExists"}


class ConnectWise(Vendor):
    name = "connectwise"
    events_per_delivery = 1

    def authenticate(self, call: Call) -> None:
        if call.request.headers.get("clientId") != CLIENT_ID:
            raise VendorError(401, "The client id is missing or not known.")
        private = call.account.credentials().get("private_key", "")
        wanted = base64.b64encode(f"{COMPANY}+{PUBLIC_KEY}:{private}".encode()).decode()
        if not private or call.request.headers.get("Authorization") != f"Basic {wanted}":
            raise VendorError(401, "The presented credentials are invalid.")

    def error(self, call: Call, error: VendorError) -> Response:
        body: Row = {"code": CODES.get(error.status, "Error"), "message": error.message}
        fields = error.details.get("fields") or {}
        if fields:
            body["errors"] = [
                {"code": "InvalidField", "message": text, "resource": "object", "field": name}
                for name, text in fields.items()
            ]
        return json_response(body, error.status)

    def create_object(self, account: Account, kind: str, data: Row) -> Row:
        from sandbox.connectwise.objects import make

        return make(account, kind, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: Row) -> Row:
        from sandbox.connectwise.objects import kept

        return kept(account, kind, {**row_of(account, kind, object_id), **data}, "updated")

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        """Companies are only marked; everything else is gone."""
        if kind == "companies":
            self.update_object(account, kind, object_id, {"deletedFlag": True})
        else:
            account.remove(kind, object_id)

    def webhook_body(self, account: Account, events: list[dict[str, Any]]) -> bytes:
        return json.dumps(events[0], separators=(",", ":")).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        key = hashlib.sha256(secret.encode()).digest()
        return {"x-content-signature": base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()}


VENDOR = ConnectWise()


def stamp(account: Account) -> str:
    """Whole seconds."""
    return account.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def row_of(account: Account, kind: str, object_id: str) -> Row:
    row = account.objects(kind).get(object_id)
    if row is None:
        raise VendorError(404, f"{kind} {object_id} not found")
    return row


def refuse(**fields: str) -> None:
    if fields:
        raise VendorError(400, "object is invalid", fields=fields)
