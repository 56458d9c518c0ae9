"""The shipped example of files that go out, and whoever takes them away."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

from apps.connectors.sdk.conformance import Harness
from apps.connectors.sdk.conformance_harness import new_key
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.declared import connector_type, parse_definition
from apps.connectors.sdk.types import WriteRequest
from tests.connectors.files.server import PASSWORD, RunningSftp

SOURCE = Path("docs/examples/connectors/ledger-out-files.yaml").read_text(encoding="utf-8")
INTAKE = connector_type("custom-ledger-intake", parse_definition(SOURCE))
_numbers = itertools.count(1)


class IntakeHarness(Harness):
    connector_type = INTAKE

    def __init__(self, server: RunningSftp) -> None:
        super().__init__()
        self.server = server
        self.folder = server.root / f"intake{next(_numbers)}"
        (self.folder / "in" / "sent").mkdir(parents=True)
        self.last: dict[str, dict[str, Any]] = {}
        self.opened: list[Connector] = []

    def connector(self, *, valid: bool = True) -> Connector:
        self.opened.append(super().connector(valid=valid))
        return self.opened[-1]

    def close(self) -> None:
        for connector in self.opened:
            connector.close()

    def settings(self) -> dict[str, Any]:
        return {**self.server.settings, "folder": self.folder.name}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"password": PASSWORD if valid else "wrong-password-1"}

    def seed(self, stream: str, count: int) -> list[str]:
        """Nobody but us writes these files."""
        requests = [WriteRequest(key=new_key(), payload=self.payload(stream)) for _ in range(count)]
        results = self.connector().sink(stream).write(requests)
        return [result.record.external_id for result in results if result.record]

    def edit(self, stream: str, external_id: str) -> None:
        id_column = {"customers": "Number", "invoices": "Invoice"}[stream]
        payload = {**self.payload(stream), id_column: external_id}
        request = WriteRequest(key=new_key(), payload=payload, external_id=external_id)
        (result,) = self.connector().sink(stream).write([request])
        assert result.error is None

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        payloads: dict[str, dict[str, Any]] = {
            "customers": {"Number": f"C{number}", "Name": f"Müller; {number}", "E-mail": None},
            "invoices": {
                "Invoice": f"I{number}", "Customer": "C1", "Date": "2026-11-23", "Status": "open",
                "Currency": "EUR", "Total": f"{number}.50",
            },
        }  # fmt: skip
        self.last[sink] = payloads[sink]
        return payloads[sink]

    def change(self, sink: str) -> dict[str, Any]:
        """Of the record that was written last: the id stays."""
        changed = {"Date": "2026-11-24", "Total": "1.25"} if sink == "invoices" else {"Name": "Changed"}
        return {**self.last[sink], **changed}

    def bad_payload(self, sink: str) -> dict[str, Any]:
        return {**self.payload(sink), ("Name" if sink == "customers" else "Currency"): "日本"}

    def count(self, sink: str) -> int:
        return len(self.rows(sink))

    def rows(self, sink: str) -> dict[str, dict[str, str]]:
        """What a reader of the folder sees, the newest row of every record."""
        return {next(iter(row.values())): row for row in self.delivered(sink)}

    def delivered(self, sink: str) -> list[dict[str, str]]:
        files = sorted((self.folder / "in").glob(f"{sink}*.csv"))
        return [row for file in files for row in csv.DictReader(file.read_text("cp1252").splitlines(), delimiter=";")]
