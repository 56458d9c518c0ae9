"""The same work without a platform: what HTTP, hashing, COPY and commits cost by themselves on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
from django.db import connection, transaction

from apps.core.bulk import copy_rows, fetch_rows
from apps.core.ids import uuid7
from tests.bench.fast_vendor import BATCH_SIZE, FIELDS, PAGE_SIZE

TABLES = """
CREATE TABLE bare_record (id uuid PRIMARY KEY, data jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE bare_reference (
    record_id uuid NOT NULL, system text NOT NULL, external_id text NOT NULL, hash text NOT NULL,
    PRIMARY KEY (system, external_id));
CREATE TABLE bare_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id uuid NOT NULL, record_id uuid NOT NULL,
    action text NOT NULL, diff jsonb, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON bare_log (customer_id, at DESC);
"""


class BareLoop:
    def __init__(self, base_url: str) -> None:
        self.http = httpx2.Client(base_url=base_url, trust_env=False)
        self.customer = uuid7()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bare_record, bare_reference, bare_log")
            cursor.execute(TABLES)

    def sync(self, version: str) -> int:
        """Pulls all, stores each page in one transaction, writes it on in batches and stores what came of that."""
        done = 0
        for rows in self.pages(version):
            fresh = self.changed(rows)
            if fresh:
                self.store(fresh)
            done += len(rows)
        return done

    def pages(self, version: str) -> Iterator[list[dict[str, Any]]]:
        after = 0
        while True:
            answer = self.http.get("/records", params={"after": after, "limit": PAGE_SIZE, "version": version})
            rows = orjson.loads(answer.content)["results"]
            yield rows
            after += len(rows)
            if len(rows) < PAGE_SIZE:
                return

    def changed(self, rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
        ids = [row["id"] for row in rows]
        known = dict(
            fetch_rows(
                "SELECT external_id, hash FROM bare_reference WHERE system = 's' AND external_id = ANY(%s)", [ids]
            )
        )
        hashed = [(row, hashlib.sha256(orjson.dumps(row)).hexdigest()) for row in rows]
        return [(row, digest) for row, digest in hashed if known.get(row["id"]) != digest]

    def store(self, rows: list[tuple[dict[str, Any], str]]) -> None:
        named = [(uuid7(), {name: row[name] for name in FIELDS}, row["id"], digest) for row, digest in rows]
        with transaction.atomic():
            copy_rows("bare_record", ("id", "data"), ((i, orjson.dumps(data).decode()) for i, data, _, _ in named))
            self.refer("s", [(i, external_id, digest) for i, _, external_id, digest in named])
            self.log("read", [(i, data) for i, data, _, _ in named])
        for start in range(0, len(named), BATCH_SIZE):
            self.write_on(named[start : start + BATCH_SIZE])

    def write_on(self, batch: list[tuple[Any, dict[str, Any], str, str]]) -> None:
        answer = self.http.post("/batch", content=orjson.dumps([data for _, data, _, _ in batch]))
        rows = orjson.loads(answer.content)["results"]
        with transaction.atomic():
            self.refer("t", [(entry[0], row["id"], entry[3]) for entry, row in zip(batch, rows, strict=True)])
            self.log("write", [(entry[0], entry[1]) for entry in batch])

    def refer(self, system: str, rows: list[tuple[Any, str, str]]) -> None:
        columns = ("record_id", "system", "external_id", "hash")
        copy_rows("bare_reference", columns, ((i, system, external_id, digest) for i, external_id, digest in rows))

    def log(self, action: str, rows: list[tuple[Any, dict[str, Any]]]) -> None:
        columns = ("customer_id", "record_id", "action", "diff")
        copy_rows("bare_log", columns, ((self.customer, i, action, orjson.dumps(data).decode()) for i, data in rows))
