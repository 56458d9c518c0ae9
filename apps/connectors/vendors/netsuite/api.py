"""Queries, records and asynchronous jobs of one NetSuite account."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import Call, VendorClient
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import (
    ConfigurationError,
    ConnectorError,
    FatalError,
    RateLimited,
    RecordRejected,
    TransientError,
)

JsonDict = dict[str, Any]
QUERY = "/services/rest/query/v1/suiteql"
RECORD = "/services/rest/record/v1"
LARGEST_PAGE = 1000
# Concurrency is granted anew as soon as one of the account's other calls ends; NetSuite names no time.
CONCURRENCY_WAIT_SECONDS = 3.0
POLLS = 10
POLL_SECONDS = 1.0
# How many jobs one key may come to in its life: each refusal that is mended takes another.
ATTEMPTS = 10
ALREADY_SUBMITTED = "IDEMPOTENCY_ERROR"
CONCURRENCY_CODES = ("CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED")
# Keys become UUIDs in a space of their own, so that one key is one job for ever.
KEY_SPACE = uuid.UUID("6f0c6a52-6d0e-4f0e-9d3e-5a1f0c7b2a11")


def describe(data: Any) -> ErrorText:
    """`{"title", "status", "o:errorDetails": [{"detail", "o:errorCode", "o:errorPath"}]}`."""
    details = data.get("o:errorDetails") or [{}]
    text = "; ".join(str(entry["detail"]) for entry in details if entry.get("detail"))
    return ErrorText(text or str(data["title"]), str(details[0].get("o:errorCode", "")))


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    if response.status < 400 or not isinstance(response.data, dict):
        return None
    code = describe({"title": "", **response.data}).code
    if code in CONCURRENCY_CODES:
        return RateLimited
    if response.status == 400 and urlsplit(response.url).path.endswith(QUERY):
        # Our queries are fixed: what makes one invalid is a feature switched off or a table the role may not see.
        return ConfigurationError
    return None


def is_repeat(response: VendorResponse) -> bool:
    if response.status != 400 or not isinstance(response.data, dict) or not response.headers.get("location"):
        return False
    return describe({"title": "", **response.data}).code == ALREADY_SUBMITTED


class NetSuiteApi:
    def __init__(self, context: ConnectionContext, *, wait: Callable[[float], None]) -> None:
        self.context = context
        self.account = str(context.settings.get("account") or "")
        base = str(context.settings.get("base_url") or "") or f"https://{self.account}.suitetalk.api.netsuite.com"
        self._prefix = urlsplit(base).path.rstrip("/")
        self._wait = wait
        self._client = VendorClient(
            context,
            base,
            BearerAuth(context.credentials.get("access_token", "")),
            ErrorTable(
                describe=describe,
                classify=classify,
                delay=lambda headers: CONCURRENCY_WAIT_SECONDS,
                accepts=is_repeat,
            ),
        )

    def close(self) -> None:
        self._client.close()

    def query(self, text: str, *, limit: int = LARGEST_PAGE) -> list[JsonDict]:
        """At most `limit` rows, every value text. Columns that are empty are absent, as NetSuite leaves them out."""
        size = min(limit, LARGEST_PAGE)
        call = Call(
            method="POST",
            path=QUERY,
            params={"limit": size, "offset": 0},
            json={"q": text},
            headers={"Prefer": "transient"},
        )
        data = self._client.send(call).data
        if not isinstance(data, dict) or "items" not in data:
            raise FatalError("NetSuite answered a query without rows", code="format")
        return [{name: value for name, value in row.items() if name != "links"} for row in data["items"]]

    def query_all(self, text: str) -> list[JsonDict]:
        """Every row of a query that is known to be short of the 100,000 rows NetSuite gives."""
        rows: list[JsonDict] = []
        while True:
            call = Call(
                method="POST", path=QUERY, params={"limit": LARGEST_PAGE, "offset": len(rows)}, json={"q": text},
                headers={"Prefer": "transient"},
            )  # fmt: skip
            data = self._client.send(call).data
            rows += data["items"]
            if not data["hasMore"] or not data["items"]:
                return rows

    def id_of(self, record: str, key: str) -> str | None:
        """Internal id of what was created with this external id."""
        found = self._client.find(f"{RECORD}/{record}/eid:{quote(key, safe='')}", params={"fields": "id"})
        return str(found["id"]) if found else None

    def upsert(self, record: str, key: str, body: JsonDict) -> str:
        """Create, or repeat a creation whose answer was lost: one external id is one record. The internal id."""
        path = f"{RECORD}/{record}/eid:{quote(key, safe='')}"
        response = self._client.send(Call(method="PUT", path=path, json=body))
        return self._created(response, record, key)

    def change(self, record: str, record_id: str, body: JsonDict) -> None:
        self._client.patch(f"{RECORD}/{record}/{record_id}", json=body)

    def delete(self, record: str, record_id: str) -> None:
        self._client.delete(f"{RECORD}/{record}/{record_id}")

    def submit(self, record: str, key: str, body: JsonDict) -> str:
        """Create through a job that runs once per key, however often it is asked for. The internal id.

        A repeat is answered with the first one's job for ever, though its refusal may have been mended since, or its
        record taken back: then the next key in line is used, the same one by everybody. Raises TransientError while the
        job is still at work; asked again, the same job answers.
        """
        for attempt in range(ATTEMPTS):
            response = self._client.send(self._submission(record, key, body, attempt))
            is_repeated = response.status == 400
            job = self._finished(self._here(response.headers["location"]))
            try:
                found = self._result(job, record, key)
            except RecordRejected:
                if not is_repeated:
                    raise
                continue
            if not is_repeated or self._shows(record, found):
                return found
        raise RecordRejected("NetSuite answers with earlier attempts only", code=ALREADY_SUBMITTED)

    def _submission(self, record: str, key: str, body: JsonDict, attempt: int) -> Call:
        name = f"{key}#{attempt}" if attempt else key
        headers = {"X-NetSuite-idempotency-key": str(uuid.uuid5(KEY_SPACE, name)), "Prefer": "respond-async"}
        return Call(method="POST", path=f"{RECORD}/{record}", json={**body, "externalId": key}, headers=headers)

    def _finished(self, job: str) -> str:
        for _ in range(POLLS):
            if self._client.get(job).get("completed"):
                return job
            self._wait(POLL_SECONDS)
        raise TransientError("NetSuite is still at work on this record", code="pending")

    def _shows(self, record: str, record_id: str) -> bool:
        return self._client.find(f"{RECORD}/{record}/{record_id}", params={"fields": "id"}) is not None

    def _result(self, job: str, record: str, key: str) -> str:
        tasks = self._client.get(f"{job}/task")["items"]
        response = self._client.send(Call(method="GET", path=f"{job}/task/{tasks[0]['id']}/result"))
        return self._created(response, record, key)

    def _created(self, response: VendorResponse, record: str, key: str) -> str:
        """204 with the address of the record; an upsert of what exists may leave it out."""
        location = response.headers.get("location", "")
        found = location.rstrip("/").rpartition("/")[2] if location else self.id_of(record, key)
        if not found:
            raise FatalError("NetSuite confirmed a record and does not show it", code="read_back")
        return found

    def _here(self, location: str) -> str:
        """The path below our base address, whether NetSuite told a path or a whole address."""
        return urlsplit(location).path.removeprefix(self._prefix)
