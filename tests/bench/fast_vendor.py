"""A connector for the loopback vendor: one stream of accounts, and a sink that takes batches of a hundred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from apps.connectors import registry
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Domain,
    Evidence,
    RateLimit,
    Resolve,
    SinkSpec,
    StreamSpec,
    WebhookSpec,
)
from apps.connectors.sdk.types import CheckResult, JsonDict, Page, SourceRecord, WebhookEvent, WriteRequest, WriteResult
from apps.connectors.sdk.webhooks import hmac_sha256_hex, require_signature

PAGE_SIZE = 200
BATCH_SIZE = 100
FIELDS = ("name", "domain", "email", "phone", "website", "number")


class Records:
    def __init__(self, connector: FastConnector) -> None:
        self.connector = connector

    def read(self, *, checkpoint: JsonDict | None, page_size: int = PAGE_SIZE) -> Iterator[Page]:
        """From the beginning every time, as of a vendor that cannot tell what changed."""
        yield from self.read_after(0, page_size)

    def read_after(self, after: int, page_size: int) -> Iterator[Page]:
        while True:
            rows, left = self.connector.page(after, page_size)
            after += len(rows)
            yield Page(records=[record(row) for row in rows], checkpoint={"after": after}, remaining=left)
            if len(rows) < page_size:
                return

    def get(self, external_id: str) -> SourceRecord | None:
        return None


class Feed(Records):
    """Only what is new, as of a vendor that can tell."""

    def read(self, *, checkpoint: JsonDict | None, page_size: int = PAGE_SIZE) -> Iterator[Page]:
        yield from self.read_after(int((checkpoint or {}).get("after", 0)), page_size)


class Batches:
    def __init__(self, connector: FastConnector) -> None:
        self.connector = connector

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        objects = [{**request.payload, "id": request.external_id} for request in requests]
        rows = self.connector.client.post("/batch", json=objects)["results"]
        return [result(request, row) for request, row in zip(requests, rows, strict=True)]

    def resolve(self, key: str) -> SourceRecord | None:
        return None

    def get(self, external_id: str) -> SourceRecord | None:
        return None


class KeptBatches(Batches):
    """What it made can be found again by our reference, as a worker that comes after a dead one has to."""

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        objects = [{**request.payload, "id": request.external_id, "ref": request.key} for request in requests]
        rows = self.connector.client.post("/batch", json=objects)["results"]
        return [result(request, row) for request, row in zip(requests, rows, strict=True)]

    def resolve(self, key: str) -> SourceRecord | None:
        row = self.connector.client.get("/found", params={"ref": key})["result"]
        return record(row) if row else None


def result(request: WriteRequest, row: dict[str, Any]) -> WriteResult:
    if row.get("refused"):
        return WriteResult(key=request.key, error=RecordRejected("Refused for the benchmark", code="refused"))
    return WriteResult(key=request.key, record=record(row))


def record(row: dict[str, Any]) -> SourceRecord:
    return SourceRecord(external_id=row["id"], data=row)


STREAM = StreamSpec(
    name="records", label="Records", entity="account", incremental=False,
    fields={name: f"record.{name}" for name in FIELDS},
)  # fmt: skip
SINK = SinkSpec(
    name="records", label="Records", entity="account", stream="records", resolve=Resolve.LOOKUP,
    batch_size=BATCH_SIZE, fields={name: f"record.{name}" for name in FIELDS},
)  # fmt: skip


class FastConnector(Connector):
    stream_types = {"records": Records}
    sink_types = {"records": Batches}

    @cached_property
    def client(self) -> VendorClient:
        return VendorClient(self.context, str(self.context.settings["base_url"]))

    def check(self) -> CheckResult:
        return CheckResult(account_id="fast", account_name="Fast")

    def page(self, after: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """The rows, and how many are left after them."""
        params = {"after": after, "limit": limit, "version": self.context.settings["version"]}
        answer = self.client.get("/records", params=params)
        return answer["results"], answer["left"]


class FeedConnector(FastConnector):
    stream_types = {"records": Feed}

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        require_signature(expected=hmac_sha256_hex(secret, body), given=headers.get("x-signature", ""))
        return [WebhookEvent(event_id=body.decode(), stream="records")]


class LedgerConnector(FastConnector):
    sink_types = {"records": KeptBatches}


def fast(key: str, domain: Domain, kind: type[FastConnector] = FastConnector) -> type[FastConnector]:
    manifest = ConnectorManifest(
        key=key, name=key.title(), domain=domain, description="", evidence=Evidence.SIMULATED, evidence_note="",
        auth=AuthKind.API_KEY, base_url="", streams=(STREAM,), sinks=(SINK,),
        config=(
            ConfigField(key="base_url", label="Address", kind="url"), ConfigField(key="version", label="Version"),
        ),
        rate_limit=RateLimit(calls=10_000_000, seconds=1), extra={"page_size": PAGE_SIZE},
        webhook=WebhookSpec(scope="connection", signature_header="x-signature", streams=("records",)),
    )  # fmt: skip
    return type(key.title(), (kind,), {"manifest": manifest})


CONNECTORS = {
    "source": fast("source", Domain.CRM),
    "feed": fast("feed", Domain.CRM, FeedConnector),
    "target": fast("target", Domain.ERP),
    "ledger": fast("ledger", Domain.ERP, LedgerConnector),
}


def register() -> None:
    """For processes of the platform beside the test: they know these vendors too."""
    known = {**registry.connectors(), **CONNECTORS}
    registry.connectors = lambda: known  # type: ignore[assignment]
