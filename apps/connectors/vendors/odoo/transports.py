"""The two ways to call a method of an Odoo model: JSON-RPC (login and key) and JSON-2 (bearer key)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlsplit

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError, RecordRejected, TransientError

JsonDict = dict[str, Any]

# Exceptions by their Python names, which both transports tell. Others are errors in what was asked: ours.
EXCEPTIONS: Mapping[str, type[ConnectorError]] = {
    "odoo.exceptions.AccessDenied": ConfigurationError,
    "odoo.exceptions.AccessError": ConfigurationError,
    "odoo.http.SessionExpiredException": ConfigurationError,
    "werkzeug.exceptions.Unauthorized": ConfigurationError,
    "werkzeug.exceptions.Forbidden": ConfigurationError,
    "werkzeug.exceptions.NotFound": ConfigurationError,
    "odoo.exceptions.UserError": RecordRejected,
    "odoo.exceptions.ValidationError": RecordRejected,
    "odoo.exceptions.RedirectWarning": RecordRejected,
    "odoo.exceptions.MissingError": RecordRejected,
    "odoo.exceptions.LockError": TransientError,
    "odoo.exceptions.ConcurrencyError": TransientError,
    "psycopg2.OperationalError": TransientError,
    "psycopg2.errors.SerializationFailure": TransientError,
    "psycopg2.errors.DeadlockDetected": TransientError,
    "psycopg2.errors.LockNotAvailable": TransientError,
}


def kind_of(name: str, message: str) -> type[ConnectorError]:
    if name == "psycopg2.OperationalError" and "does not exist" in message:
        return ConfigurationError  # no such database
    return EXCEPTIONS.get(name, FatalError)


class Transport(Protocol):
    def call(self, model: str, method: str, *, ids: list[int] | None, context: JsonDict, arguments: JsonDict) -> Any:
        """What the method returns."""
        ...

    def user_id(self) -> int:
        """Who we are. Raises ConfigurationError when the key is refused."""
        ...

    def close(self) -> None: ...


class JsonRpc:
    """`POST /jsonrpc`. Every answer is 200; a failure is an `error` in the body, told apart by `data.name`."""

    def __init__(self, context: ConnectionContext) -> None:
        self._login = str(context.settings["login"])
        self._key = context.credentials.get("api_key", "")
        self._database = str(context.settings.get("database") or "")
        if not self._database:
            raise ConfigurationError("name the database: Odoo up to version 18 asks for it", code="database")
        errors = ErrorTable(classify=_rpc_error, describe=_rpc_text)
        self._client = VendorClient(context, str(context.settings["base_url"]), error_mapper=errors)
        self._numbers = count(1)

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _uid(self) -> int:
        # A wrong key is no error: the answer is false.
        found = self._send("common", "authenticate", [self._database, self._login, self._key, {}])
        if not found:
            raise ConfigurationError("Odoo refused the login or its key", code="odoo.exceptions.AccessDenied")
        return int(found)

    def user_id(self) -> int:
        return self._uid

    def call(self, model: str, method: str, *, ids: list[int] | None, context: JsonDict, arguments: JsonDict) -> Any:
        positional = [] if ids is None else [ids]
        keywords = {**arguments, "context": context}
        return self._send(
            "object", "execute_kw", [self._database, self._uid, self._key, model, method, positional, keywords]
        )

    def _send(self, service: str, method: str, args: list[Any]) -> Any:
        params = {"service": service, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "id": next(self._numbers), "params": params}
        answer = self._client.post("/jsonrpc", json=body)
        if not isinstance(answer, dict) or answer.get("id") != body["id"]:
            raise FatalError("this is not Odoo's JSON-RPC", code="format")
        return answer.get("result")


def _rpc_error(response: VendorResponse) -> type[ConnectorError] | None:
    error = response.data.get("error") if isinstance(response.data, dict) else None
    if response.status != 200 or not error:
        return None
    data = error.get("data") or {}
    return kind_of(str(data.get("name")), str(data.get("message")))


def _rpc_text(data: Any) -> ErrorText:
    found = data["error"]["data"]
    return ErrorText(str(found["message"]), str(found["name"]))


class Json2:
    """`POST /json/2/<model>/<method>`: named arguments in, the bare result out, failures with a status of their own."""

    def __init__(self, context: ConnectionContext) -> None:
        database = str(context.settings.get("database") or "")
        self._client = VendorClient(
            context,
            str(context.settings["base_url"]),
            BearerAuth(context.credentials.get("api_key", "")),
            ErrorTable(classify=_json2_error, describe=lambda data: ErrorText(str(data["message"]), str(data["name"]))),
            headers={"X-Odoo-Database": database} if database else {},
        )

    def close(self) -> None:
        self._client.close()

    def user_id(self) -> int:
        found = self.call("res.users", "context_get", ids=None, context={}, arguments={})
        return int(found["uid"])

    def call(self, model: str, method: str, *, ids: list[int] | None, context: JsonDict, arguments: JsonDict) -> Any:
        body = {**arguments, "context": context, **({} if ids is None else {"ids": ids})}
        return self._client.post(f"/json/2/{model}/{method}", json=body)


def _json2_error(response: VendorResponse) -> type[ConnectorError] | None:
    """By the exception's name: a ValidationError and a wrong argument are both 422, a bug and a lock both 500."""
    if response.status < 400 or not isinstance(response.data, dict) or "name" not in response.data:
        return None
    name, message = str(response.data["name"]), str(response.data.get("message"))
    if name not in EXCEPTIONS and response.status in (401, 408, 429, 502, 503, 504):
        return None
    return kind_of(name, message)


def transport_of(context: ConnectionContext) -> Transport:
    """A login is what JSON-RPC needs and JSON-2 does not: its presence chooses."""
    return JsonRpc(context) if context.settings.get("login") else Json2(context)


def host_of(context: ConnectionContext) -> str:
    return urlsplit(str(context.settings["base_url"])).netloc
