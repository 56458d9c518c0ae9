"""A connector for the loopback vendor: one stream of accounts, and a sink that takes batches of a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import Connector
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
)
from apps.connectors.sdk.types import CheckResult, JsonDict, Page, SourceRecord, WriteRequest, WriteResult

PAGE_SIZE = 200
BATCH_SIZE = 100
FIELDS = ("name", "domain", "email", "phone", "website", "number")


class Records:
    def __init__(self, connector: FastConnector) -> None:
        self.connector = connector

    def read(self, *, checkpoint: JsonDict | None, page_size: int = PAGE_SIZE) -> Iterator[Page]:
        """From the beginning every time, as of a vendor that cannot tell what changed."""
        after = 0
        while True:
            rows = self.connector.page(after, page_size)
            after += len(rows)
            yield Page(records=[record(row) for row in rows], checkpoint={"after": after})
            if len(rows) < page_size:
                return

    def get(self, external_id: str) -> SourceRecord | None:
        return None


class Batches:
    def __init__(self, connector: FastConnector) -> None:
        self.connector = connector

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        objects = [{**request.payload, "id": request.external_id} for request in requests]
        rows = self.connector.client.post("/batch", json=objects)["results"]
        return [WriteResult(key=r.key, record=record(row)) for r, row in zip(requests, rows, strict=True)]

    def resolve(self, key: str) -> SourceRecord | None:
        return None

    def get(self, external_id: str) -> SourceRecord | None:
        return None


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

    def page(self, after: int, limit: int) -> list[dict[str, Any]]:
        params = {"after": after, "limit": limit, "version": self.context.settings["version"]}
        rows: list[dict[str, Any]] = self.client.get("/records", params=params)["results"]
        return rows


def fast(key: str, domain: Domain) -> type[FastConnector]:
    manifest = ConnectorManifest(
        key=key, name=key.title(), domain=domain, description="", evidence=Evidence.SIMULATED, evidence_note="",
        auth=AuthKind.API_KEY, base_url="", streams=(STREAM,), sinks=(SINK,),
        config=(
            ConfigField(key="base_url", label="Address", kind="url"), ConfigField(key="version", label="Version"),
        ),
        rate_limit=RateLimit(calls=10_000_000, seconds=1), extra={"page_size": PAGE_SIZE},
    )  # fmt: skip
    return type(key.title(), (FastConnector,), {"manifest": manifest})


CONNECTORS = {"source": fast("source", Domain.CRM), "target": fast("target", Domain.ERP)}
