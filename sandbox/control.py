"""The control plane: tests and the demo steer an account as its owner, its users or bad luck would.

Under `/_control/<vendor>/<account>/`:
- `POST clock {"now": iso | null}`; `POST faults [{...}]` (replaces; `[]` clears); `POST reset`
- `POST credentials {...}` what the account accepts; `POST settings {...}` vendor options (e.g. search lag)
- `GET|POST objects/<kind>`, `PATCH|DELETE objects/<kind>/<id>`: look, create, edit and delete as a user of the vendor
  does; POST takes one object or a list
- `POST webhooks {"url", "secret"}`; `GET deliveries`; `GET|DELETE requests`; `GET counters`
"""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.account import Account
from sandbox.clock import iso_millis, parse_time
from sandbox.faults import Fault
from sandbox.vendor import Vendor, VendorError, json_response


def handle_control(vendor: Vendor, account: Account, request: Request, rest: list[str]) -> Response:
    """Carry out one order. Mistakes in it are answered 400 with the reason."""
    try:
        body = json.loads(request.get_data() or b"null")
        with account.lock:
            return json_response(_dispatch(vendor, account, request.method, rest, body))
    except VendorError as error:
        return json_response({"error": error.message, **error.details}, error.status)
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        return json_response({"error": f"{type(error).__name__}: {error}"}, 400)


def _dispatch(vendor: Vendor, account: Account, method: str, rest: list[str], body: Any) -> Any:
    if rest and rest[0] == "objects":
        return _objects(vendor, account, method, rest[1:], body)
    order = (method, "/".join(rest))
    if order in READS:
        return READS[order](account)
    if order in ORDERS:
        ORDERS[order](account, body)
        return {"now": iso_millis(account.now())}
    raise VendorError(404, f"no control {method} {'/'.join(rest)}")


def _objects(vendor: Vendor, account: Account, method: str, rest: list[str], body: Any) -> Any:
    kind = rest[0]
    if method == "GET" and len(rest) == 1:
        return vendor.raw_objects(account, kind)
    if method == "POST":
        if isinstance(body, list):
            return [vendor.create_object(account, kind, data) for data in body]
        return vendor.create_object(account, kind, body)
    if method == "PATCH":
        return vendor.update_object(account, kind, rest[1], body)
    if method == "DELETE":
        vendor.delete_object(account, kind, rest[1])
        return {}
    raise VendorError(404, "no such control")


def _set_clock(account: Account, body: Any) -> None:
    account.set_now(parse_time(body["now"]) if body["now"] else None)


def _set_faults(account: Account, body: Any) -> None:
    account.faults.replace([Fault.from_json(data) for data in (body if isinstance(body, list) else [body])])


def _set_settings(account: Account, body: Any) -> None:
    for name, value in body.items():
        account.set_setting(name, value)


def _clear_requests(account: Account, body: Any) -> None:
    account.requests.clear()
    account.counters.clear()


ORDERS = {
    ("POST", "clock"): _set_clock,
    ("POST", "faults"): _set_faults,
    ("POST", "reset"): lambda account, body: account.reset(),
    ("POST", "credentials"): lambda account, body: account.set_setting("credentials", body),
    ("POST", "settings"): _set_settings,
    ("POST", "webhooks"): lambda account, body: account.set_setting("webhook", body),
    ("DELETE", "requests"): _clear_requests,
}
READS = {
    ("GET", "requests"): lambda account: list(account.requests),
    ("GET", "counters"): lambda account: dict(account.counters),
    ("GET", "deliveries"): lambda account: list(account.deliveries),
}
