"""The one way a connector speaks HTTP: auth applied, budget asked, errors mapped, every call observed, secrets masked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import msgspec
import orjson

from apps.connectors.sdk.auth import Auth, NoAuth
from apps.connectors.sdk.connector import ConnectionContext, HttpExchange
from apps.connectors.sdk.error_table import ErrorTable, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError, TransientError
from apps.connectors.sdk.numbers import whole_number
from apps.connectors.sdk.redaction import redact, redact_url
from apps.core.http import BlockedAddress, BoundedResponse, ResponseTooLarge, build_client, send_bounded


class Call(msgspec.Struct, kw_only=True):
    """One request before it is sent."""

    method: str
    path: str
    params: Mapping[str, Any] = {}
    json: Any = None
    form: Mapping[str, str] | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = {}
    expects_json: bool = True


class VendorClient:
    """Keep-alive HTTP with one vendor account.

        client = VendorClient(context, "https://api.hubapi.com", BearerAuth(token), ErrorTable())
        companies = client.get("/crm/v3/objects/companies", params={"limit": "100"})["results"]

    `auth` may be a callable for tokens that change during the life of the client; `day_header` names, in lower case, the
    header with the calls left of the day. Not to be shared between threads.
    """

    def __init__(
        self,
        context: ConnectionContext,
        base_url: str,
        auth: Auth | Callable[[], Auth] | None = None,
        error_mapper: ErrorTable | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        day_header: str = "",
    ) -> None:
        self.context = context
        self.base_url = base_url.rstrip("/")
        self.errors = error_mapper or ErrorTable()
        self.headers = dict(headers or {})
        self.day_header = day_header
        self._auth = auth or NoAuth()
        self._http = build_client(
            allow_private=context.allow_private, allowed_hosts=context.allowed_hosts, timeout=timeout
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **options: Any) -> Any:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Any:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Any:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.request("DELETE", path, **options)

    def find(self, path: str, **options: Any) -> Any:
        """Like `get`, but None when the vendor answers 404 or 410."""
        try:
            return self.get(path, **options)
        except ConnectorError as error:
            if error.status in (404, 410):
                return None
            raise

    def request(self, method: str, path: str, **options: Any) -> Any:
        """The parsed JSON body (None when empty). Options are the fields of `Call`. Raises a ConnectorError."""
        return self.send(Call(method=method, path=path, **options)).data

    def send(self, call: Call) -> VendorResponse:
        """Like `request`, with status and headers. A `path` that is a whole URL must stay on the base URL's host."""
        auth = self._auth() if callable(self._auth) else self._auth
        secrets = (*auth.secrets(), *self.context.credentials.values())
        request = self._build(call, auth)
        with self.context.slot():
            # Booked last: while waiting for a place the booked moment would pass.
            self.context.acquire()
            return self._carry_out(call, request, secrets)

    def _carry_out(self, call: Call, request: httpx2.Request, secrets: tuple[str, ...]) -> VendorResponse:
        started = time.monotonic()
        response: BoundedResponse | None = None
        failure: ConnectorError | None = None
        try:
            response = self._exchange(request)
            self._note_quota(response)
            return self._judge(call, request, response)
        except ConnectorError as error:
            failure = _masked(error, secrets)
            raise failure from None
        finally:
            self._observe(request, response, failure, started, secrets)

    def _note_quota(self, response: BoundedResponse) -> None:
        """Other programs may draw on the same daily quota; the vendor's own count includes them."""
        left = response.headers.get(self.day_header, "") if self.day_header else ""
        remaining = whole_number(left)
        if remaining is not None:
            self.context.note_remaining(remaining)

    def _build(self, call: Call, auth: Auth) -> httpx2.Request:
        headers = {"accept": "application/json", **self.headers, **{k.lower(): v for k, v in call.headers.items()}}
        params = {name: str(value) for name, value in call.params.items() if value is not None}
        auth.apply(headers, params)
        content = call.content
        if call.json is not None:
            content = orjson.dumps(call.json)
            headers.setdefault("content-type", "application/json")
        url = self._url(call.path)
        # `params={}` would erase a query string already in the URL.
        try:
            return self._http.build_request(
                call.method, url, params=params or None, content=content, data=call.form, headers=headers
            )
        except httpx2.InvalidURL:
            raise ConfigurationError("the address is not a valid one", code="bad_address") from None
        except UnicodeEncodeError:
            # `from None`: the failure quotes the header, which may be the key.
            raise ConfigurationError("a key or header holds letters that cannot be sent", code="bad_header") from None

    def _url(self, path: str) -> str:
        if not path.startswith(("http://", "https://")):
            return f"{self.base_url}/{path.lstrip('/')}"
        if httpx2.URL(path).host != httpx2.URL(self.base_url).host:
            # A "next page" link to elsewhere would carry our credentials there.
            raise FatalError("the vendor pointed to an address of somebody else")
        return path

    def _exchange(self, request: httpx2.Request) -> BoundedResponse:
        try:
            return send_bounded(self._http, request)
        except BlockedAddress as error:
            raise ConfigurationError(str(error), code="blocked_address") from error
        except ResponseTooLarge as error:
            raise FatalError(str(error), code="response_too_large") from error
        except httpx2.UnsupportedProtocol as error:
            raise ConfigurationError("the address must start with https://", code="bad_address") from error
        except httpx2.TimeoutException as error:
            raise TransientError("the vendor did not answer in time", code="timeout") from error
        except httpx2.TransportError as error:
            raise TransientError(f"connection failed: {type(error).__name__}", code="connection") from error

    def _judge(self, call: Call, request: httpx2.Request, raw: BoundedResponse) -> VendorResponse:
        data, readable = _parse(raw)
        response = VendorResponse(
            status=raw.status, headers=raw.headers, content=raw.content, data=data, url=str(request.url)
        )
        error = self.errors.error_for(response, now=self.context.now())
        if error is not None:
            raise error
        if call.expects_json and not readable:
            raise _unreadable(raw)
        return response

    def _observe(
        self,
        request: httpx2.Request,
        response: BoundedResponse | None,
        failure: ConnectorError | None,
        started: float,
        secrets: tuple[str, ...],
    ) -> None:
        self.context.observe(
            HttpExchange(
                method=request.method,
                url=redact_url(str(request.url), secrets),
                status=response.status if response else None,
                duration_ms=round((time.monotonic() - started) * 1000),
                request_bytes=int(request.headers.get("content-length", 0)),
                response_bytes=len(response.content) if response else 0,
                error=failure.message if failure else "",
            )
        )


def _parse(raw: BoundedResponse) -> tuple[Any, bool]:
    """The JSON body and whether it could be read; an empty body reads as None."""
    if not raw.content.strip():
        return None, True
    try:
        return orjson.loads(raw.content), True
    except orjson.JSONDecodeError:
        return None, False


def _unreadable(raw: BoundedResponse) -> ConnectorError:
    kind = raw.headers.get("content-type", "")
    if "json" in kind:
        # Announced JSON that does not parse was cut on the way: the next attempt will be whole.
        return TransientError("the vendor's answer was cut short", code="truncated", status=raw.status)
    return FatalError(f"expected JSON, got {kind or 'no content type'}", code="not_json", status=raw.status)


def _masked(error: ConnectorError, secrets: tuple[str, ...]) -> ConnectorError:
    error.message = redact(error.message, secrets)
    error.args = (error.message,)
    return error
