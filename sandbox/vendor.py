"""What a simulated vendor is made of: routes, its own error shapes, and hands for the control plane."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.account import Account


@dataclass
class Call:
    """One request inside an account; `path` is the vendor's own path."""

    account: Account
    request: Request
    path: str

    @cached_property
    def json(self) -> Any:
        """The parsed body; raises VendorError 400 when it is not JSON."""
        try:
            return json.loads(self.request.get_data() or b"null")
        except ValueError:
            raise VendorError(400, "invalid JSON") from None

    @property
    def args(self) -> Any:
        return self.request.args


class VendorError(Exception):
    """Raised by handlers; the vendor turns it into its own error shape."""

    def __init__(self, status: int, message: str = "", **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


Handler = Callable[..., Any]


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = b"" if data is None else json.dumps(data, separators=(",", ":")).encode()
    return Response(body, status=status, headers=headers, content_type="application/json;charset=utf-8")


class Vendor:
    """Subclass per vendor. Routes are declared with `@VENDOR.route("/crm/v3/objects/<kind>", methods=["GET"])`.

    A handler gets `(call, **path values)` and returns JSON data, `(data, status)` or a Response. It runs under the
    account's lock, so it may read and write freely.
    """

    name = ""
    # Vendors that send each event by itself say 1.
    events_per_delivery = 100

    def __init__(self) -> None:
        self._map = Map(strict_slashes=False)

    def route(self, path: str, methods: list[str]) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._map.add(Rule(path, endpoint=handler, methods=methods))
            return handler

        return register

    def respond(self, call: Call) -> Response:
        """Authenticate, route, handle; every refusal in the vendor's own shape."""
        try:
            self.authenticate(call)
            handler, values = self._map.bind("sandbox").match(call.path, method=call.request.method)
            result = handler(call, **values)
        except VendorError as error:
            return self.error(call, error)
        except HTTPException as error:
            return self.error(call, VendorError(error.code or 500, error.name))
        return self.finish(call, result)

    def finish(self, call: Call, result: Any) -> Response:
        if isinstance(result, Response):
            return result
        data, status = result if isinstance(result, tuple) else (result, 200)
        return json_response(data, status)

    def authenticate(self, call: Call) -> None:
        """Raise VendorError(401) unless the request carries the account's credentials."""
        raise NotImplementedError

    def error(self, call: Call, error: VendorError) -> Response:
        """The vendor's error shape; also used for injected `status` faults and rate limits (status 429)."""
        return json_response({"message": error.message}, error.status)

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        """The vendor's 429."""
        response = self.error(call, VendorError(429, "rate limit exceeded"))
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def raw_objects(self, account: Account, kind: str) -> list[dict[str, Any]]:
        """Every object of a kind as the vendor would return it (control plane)."""
        return list(account.objects(kind).values())

    def create_object(self, account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Create as a user of the vendor would in its own screens (control plane)."""
        raise NotImplementedError

    def update_object(self, account: Account, kind: str, object_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """Edit as a user of the vendor would (control plane)."""
        raise NotImplementedError

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        account.remove(kind, object_id)

    def webhook_body(self, account: Account, events: list[dict[str, Any]]) -> bytes:
        """One delivery holding `events`."""
        return json.dumps(events).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        """The vendor's real signature over one delivery."""
        return {}


def bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
