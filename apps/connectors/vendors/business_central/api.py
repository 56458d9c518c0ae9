"""One company of one environment, spoken to in OData: entity sets, entity tags, batches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
import orjson

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import Call, VendorClient
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError, TransientError

JsonDict = dict[str, Any]
BASE_URL = "https://api.businesscentral.dynamics.com"
BATCH_SIZE = 100
NO_ID = "00000000-0000-0000-0000-000000000000"
NO_DATE = "0001-01-01"
CHANGED_MEANWHILE = "Request_EntityChanged"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a batch; `path` is below the company."""

    method: str
    path: str
    body: JsonDict | None = None
    etag: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What one operation of a batch came to."""

    data: JsonDict
    error: ConnectorError | None = None


def describe(data: Any) -> ErrorText:
    """`{"error": {"code", "message"}}`; the correlation id at the end of the message differs each time."""
    error = data["error"]
    return ErrorText(str(error["message"]).split("  CorrelationId:")[0].strip(), str(error["code"]))


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    """An entity changed by somebody else is worth another look; a company that is not there needs a person."""
    error = response.data.get("error") if isinstance(response.data, dict) else None
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    if code == CHANGED_MEANWHILE or response.status == 412:
        return TransientError
    if code in ("Internal_CompanyNotFound", "NoEnvironment", "BadRequest_InvalidEnvironment"):
        return ConfigurationError
    return None


class BusinessCentralApi:
    def __init__(self, context: ConnectionContext) -> None:
        self.context = context
        settings = context.settings
        base = str(settings.get("base_url") or BASE_URL).rstrip("/")
        place = "/".join(str(part) for part in (settings.get("tenant"), settings.get("environment")) if part)
        self._errors = ErrorTable(describe=describe, classify=classify)
        self._client = VendorClient(
            context,
            f"{base}/v2.0/{place}/api/v2.0",
            BearerAuth(context.credentials.get("access_token", "")),
            self._errors,
            # Decimals that travel as numbers, read-only replicas left alone: what we wrote must be what we read.
            headers={"Data-Access-Intent": "ReadWrite"},
        )

    def close(self) -> None:
        self._client.close()

    @cached_property
    def company(self) -> JsonDict:
        """The company we work in: the named one, or the only one. Raises ConfigurationError."""
        wanted = str(self.context.settings.get("company") or "")
        known = self._client.get("/companies")["value"]
        found = [row for row in known if wanted in ("", row["id"], row["name"], row["displayName"])]
        if len(found) != 1:
            names = ", ".join(row["name"] for row in known) or "none"
            raise ConfigurationError(f"choose the company to work in; the environment has {names}", code="company")
        company: JsonDict = found[0]
        return company

    @property
    def _root(self) -> str:
        return f"/companies({self.company['id']})"

    def page(self, path: str, params: Mapping[str, Any], *, link: str, size: int) -> tuple[list[JsonDict], str]:
        """Rows and the link of the next page ("" after the last). The server may make pages smaller than asked."""
        headers = {"Prefer": f"odata.maxpagesize={size}"}
        call = Call(method="GET", path=link or f"{self._root}/{path}", params={} if link else params, headers=headers)
        data = self._client.send(call).data
        if not isinstance(data, dict) or "value" not in data:
            raise FatalError("Business Central answered without a list", code="format")
        return [plain(row) for row in data["value"]], str(data.get("@odata.nextLink") or "")

    def first(self, path: str, condition: str) -> JsonDict | None:
        rows, _ = self.page(path, {"$filter": condition, "$top": 1}, link="", size=1)
        return rows[0] if rows else None

    def one(self, path: str, params: Mapping[str, Any] | None = None) -> JsonDict | None:
        found = self._client.find(f"{self._root}/{path}", params=params or {})
        return plain(found) if found else None

    def create(self, path: str, body: JsonDict) -> JsonDict:
        found: JsonDict = plain(self._client.post(f"{self._root}/{path}", json=body))
        return found

    def change(self, path: str, body: JsonDict, *, etag: str) -> None:
        self._client.patch(f"{self._root}/{path}", json=body, headers={"If-Match": etag})

    def act(self, path: str, action: str) -> None:
        """A bound action; the answer is 204 and empty."""
        self._client.post(f"{self._root}/{path}/Microsoft.NAV.{action}", expects_json=False)

    def delete(self, path: str) -> None:
        self._client.request("DELETE", f"{self._root}/{path}", headers={"If-Match": "*"}, expects_json=False)

    def batch(self, operations: list[Operation]) -> list[Outcome]:
        """Each operation stands for itself. Raises what concerns them all (limits, tokens)."""
        outcomes: list[Outcome] = []
        for start in range(0, len(operations), BATCH_SIZE):
            outcomes += self._batch(operations[start : start + BATCH_SIZE])
        return outcomes

    def _batch(self, operations: list[Operation]) -> list[Outcome]:
        requests = [self._part(str(number), operation) for number, operation in enumerate(operations)]
        answer = self._client.post("/$batch", json={"requests": requests})
        # The answers come in no promised order.
        by_id = {part["id"]: part for part in answer["responses"]}
        return [self._outcome(by_id[str(number)]) for number in range(len(operations))]

    def _part(self, number: str, operation: Operation) -> JsonDict:
        headers = {"If-Match": operation.etag} if operation.etag else {}
        part: JsonDict = {"method": operation.method, "id": number, "url": f"{self._root[1:]}/{operation.path}"}
        if operation.body is not None:
            part["body"] = operation.body
            headers["Content-Type"] = "application/json"
        return {**part, "headers": headers}

    def _outcome(self, part: JsonDict) -> Outcome:
        body = part.get("body")
        response = VendorResponse(
            status=part["status"], headers=part.get("headers") or {}, content=orjson.dumps(body), data=body
        )
        error = self._errors.error_for(response, now=self.context.now())
        return Outcome(plain(body) if isinstance(body, dict) and error is None else {}, error)


def plain(row: JsonDict) -> JsonDict:
    """Without the placeholders Business Central writes for nothing: empty text, the first day of all, the zero id."""
    return {name: _plain(value) for name, value in row.items() if not name.startswith("@odata.context")}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(item) if isinstance(item, dict) else item for item in value]
    if isinstance(value, str):
        text = value.replace("_x0020_", " ").strip()
        return None if text in ("", NO_ID, NO_DATE) or text.startswith(f"{NO_DATE}T") else text
    return value


def quoted(text: str) -> str:
    """A text in a filter; a quote inside is doubled."""
    return "'" + text.replace("'", "''") + "'"


def moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
