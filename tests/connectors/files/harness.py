"""The shipped example of a file drop, against a real SFTP server."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from apps.connectors.sdk.conformance import Harness
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.declared import connector_type, parse_definition
from tests.connectors.files.server import PASSWORD, RunningSftp

SOURCE = Path("docs/examples/connectors/payroll-files.yaml").read_text(encoding="utf-8")
PAYROLL = connector_type("custom-payroll-files", parse_definition(SOURCE))
HEADERS = {
    "customers": "Number;Name;E-mail;Credit limit;Closed",
    "projects": "Code;Title;Customer;Start",
    "hours": "Person;Day;Project;Hours;Text",
}
_numbers = itertools.count(1)
_OLD = 1_700_000_000  # long ago: whatever has this age is complete


class PayrollHarness(Harness):
    connector_type = PAYROLL

    def __init__(self, server: RunningSftp) -> None:
        super().__init__()
        self.server = server
        self.folder = server.root / f"customer{next(_numbers)}"
        (self.folder / "out" / "done").mkdir(parents=True)
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
        rows = [_row(stream, next(_numbers)) for _ in range(count)]
        self.drop(f"{stream}-{next(_numbers)}.csv", stream, [row for _, row in rows])
        return [external_id for external_id, _ in rows]

    def edit(self, stream: str, external_id: str) -> None:
        changed = {
            "customers": f"{external_id};Edited {next(_numbers)};;1,5;yes",
            "projects": f"{external_id};Edited {next(_numbers)};1;01.11.2026",
            "hours": f"{external_id.replace('|', ';')};2,25;Edited {next(_numbers)}",
        }
        if stream == "hours":
            person, day, project = external_id.split("|")
            year, month, date = day.split("-") if "-" in day else day.split(".")[::-1]
            changed["hours"] = f"{person};{date}.{month}.{year};{project};2,25;Edited {next(_numbers)}"
        self.drop(f"{stream}-{next(_numbers)}.csv", stream, [changed[stream]])

    def drop(self, name: str, stream: str, rows: list[str], *, modified: int = 0) -> Path:
        """A file as the old system leaves it, each newer than the one before."""
        path = self.folder / "out" / name
        path.write_bytes("\r\n".join([HEADERS[stream], *rows, ""]).encode("cp1252"))
        stamp = modified or _OLD + next(_numbers)
        os.utime(path, (stamp, stamp))
        return path


def _row(stream: str, number: int) -> tuple[str, str]:
    rows = {
        "customers": (f"C{number}", f"C{number};Müller & Söhne {number};a{number}@example.com;1.234,50;no"),
        "projects": (f"P{number}", f"P{number};Project {number};C1;02.11.2026"),
        "hours": (f"E{number}|02.11.2026|P1", f"E{number};02.11.2026;P1;7,50;Work"),
    }
    return rows[stream]
