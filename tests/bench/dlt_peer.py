"""Run by the peer's own Python: loads a vendor's pages into PostgreSQL with dlt, twice, and prints the two rates."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.sources.helpers import requests

PAGE_SIZE = 200


def main(vendor_url: str, host: str, database: str, user: str, folder: str) -> None:
    @dlt.resource(name="records", primary_key="id", write_disposition="merge")
    def records() -> Iterator[list[dict[str, Any]]]:
        after = 0
        while True:
            url = f"{vendor_url}/records?after={after}&limit={PAGE_SIZE}&version=1"
            rows: list[dict[str, Any]] = requests.get(url).json()["results"]
            yield rows
            after += len(rows)
            counts.append(len(rows))
            if len(rows) < PAGE_SIZE:
                return

    credentials = f"postgresql://{user}:none@localhost/{database}?host={host}"
    destination = dlt.destinations.postgres(credentials=credentials)
    pipeline = dlt.pipeline("peer", pipelines_dir=folder, destination=destination, dataset_name="dlt_peer")
    rates = []
    for disposition in ("append", "merge"):
        counts: list[int] = []
        started = time.perf_counter()
        pipeline.run(records, write_disposition=disposition)
        rates.append(sum(counts) / (time.perf_counter() - started))
    with pipeline.sql_client() as client:
        client.drop_dataset()
    sys.stdout.write(json.dumps(rates))


if __name__ == "__main__":
    main(*sys.argv[1:])
