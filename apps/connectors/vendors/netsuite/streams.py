"""Reading NetSuite with SuiteQL, in the order of its modification stamps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from apps.connectors.sdk.stamps import Span, StampWalk
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.netsuite.api import LARGEST_PAGE
from apps.connectors.vendors.netsuite.tables import TABLES, Table

if TYPE_CHECKING:
    from apps.connectors.vendors.netsuite.connector import NetSuiteConnector

MOMENT = "YYYY-MM-DD HH24:MI:SS"
# Stamps are local times without a zone. In the hour that a clock repeats in autumn, what is newer looks older: each pass
# goes back further than that.
OVERLAP = timedelta(minutes=70)
LINES = (
    "SELECT l.transaction AS document, l.memo AS memo, l.quantity AS quantity, l.rate AS rate, l.foreignamount AS amount, "
    "l.taxline AS taxline FROM transactionline l WHERE l.transaction IN ({ids}) AND l.mainline = 'F' "
    "ORDER BY l.transaction, l.linesequencenumber"
)
LINKS = (
    "SELECT k.previousdoc AS previousdoc, k.nextdoc AS nextdoc FROM nexttransactionlinelink k "
    "WHERE k.nextdoc IN ({ids}) AND k.linktype = 'Payment' ORDER BY k.previousdoc"
)
NUMBER = re.compile(r"^\d{1,15}$")


class NetSuiteStream:
    """Local times are treated as they stand: compared with each other they need no zone."""

    def __init__(self, connector: NetSuiteConnector, *, name: str) -> None:
        self.connector = connector
        self.api = connector.api
        self.name = name
        self.table: Table = TABLES[name]

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        walk = StampWalk(self._search, stamp=local_stamp, identity=lambda row: str(row["id"]), overlap=OVERLAP)
        for rows, after in walk.pages(checkpoint, size=min(page_size, LARGEST_PAGE)):
            yield Page(records=self.records(rows), checkpoint=after)

    def get(self, external_id: str) -> SourceRecord | None:
        if not NUMBER.match(external_id):
            return None
        rows = self.api.query(self._select([f"{self.table.key} = {external_id}"], self.table.key), limit=1)
        return self.records(rows)[0] if rows else None

    def of_transaction(self, transaction: str) -> SourceRecord | None:
        """The first record of a transaction, for objects that are its lines."""
        rows = self.api.query(self._select([f"t.id = {int(transaction)}"], self.table.key), limit=1)
        return self.records(rows)[0] if rows else None

    def marked_from(self, start: str) -> list[SourceRecord]:
        """The records whose external id begins so; the wildcards of `LIKE` are judged here once more."""
        text = start.replace("'", "''")
        rows = self.api.query(self._select([f"t.externalid LIKE '{text}%'"], self.table.key))
        return [record for record in self.records(rows) if str(record.data["externalid"]).startswith(start)]

    def _search(self, span: Span, limit: int) -> list[JsonDict]:
        conditions, order = [], f"{self.table.stamp}, {self.table.key}"
        if span.since is not None:
            conditions.append(f"{self.table.stamp} >= {literal(span.since)}")
        if span.until is not None:
            conditions.append(f"{self.table.stamp} < {literal(span.until)}")
            order = self.table.key
        if span.after:
            conditions.append(f"{self.table.key} > {int(span.after)}")
        return self.api.query(self._select(conditions, order), limit=limit)

    def _select(self, conditions: list[str], order: str) -> str:
        columns = {
            "id": self.table.key, "modified": f"TO_CHAR({self.table.stamp}, '{MOMENT}')", **self.table.columns,
        }  # fmt: skip
        wanted = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
        every = [*([self.table.condition] if self.table.condition else []), *conditions]
        where = f" WHERE {' AND '.join(every)}" if every else ""
        return f"SELECT {wanted} FROM {self.table.source}{where} ORDER BY {order}"  # noqa: S608 - all our own

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        if rows and self.table.lines:
            rows = self._with_lines(rows)
        if rows and self.table.links:
            rows = self._with_links(rows)
        return [self._record(row) for row in rows]

    def _record(self, row: JsonDict) -> SourceRecord:
        # Other systems' moments are compared with this one: it must be a moment, not the look of a clock.
        modified = local_stamp(row).replace(tzinfo=self.connector.zone).astimezone(UTC)
        data = {**dict.fromkeys(self.table.columns), **row}
        return SourceRecord(
            external_id=str(row["id"]), data=data, modified_at=modified, deleted=row.get("voided") == "T"
            and self.name == "payments",
        )  # fmt: skip

    def _with_lines(self, rows: list[JsonDict]) -> list[JsonDict]:
        found = self.api.query_all(LINES.format(ids=numbers(rows)))
        return [{**row, **sums(row, [line for line in found if line["document"] == row["id"]])} for row in rows]

    def _with_links(self, rows: list[JsonDict]) -> list[JsonDict]:
        """Payments with the invoices they were applied to."""
        paid: dict[str, set[str]] = {}
        for link in self.api.query_all(LINKS.format(ids=numbers(rows))):
            paid.setdefault(link["nextdoc"], set()).add(link["previousdoc"])
        return [{**row, "invoices": sorted(paid.get(row["id"], ()))} for row in rows]


def numbers(rows: list[JsonDict]) -> str:
    """The ids as they stand in a condition; nothing but numbers gets there."""
    return ", ".join(str(int(row["id"])) for row in rows)


def sums(row: JsonDict, lines: list[JsonDict]) -> JsonDict:
    """Positions with the sign a customer sees, the tax among them, and what was paid."""
    total, unpaid = Decimal(row["foreigntotal"]), Decimal(row.get("foreignamountunpaid") or "0")
    tax = -sum((Decimal(line.get("amount") or "0") for line in lines if line.get("taxline") == "T"), Decimal(0))
    positions = [flipped(line) for line in lines if line.get("taxline") != "T"]
    return {"lines": positions, "tax": str(tax), "subtotal": str(total - tax), "paid": str(total - unpaid)}


def flipped(line: JsonDict) -> JsonDict:
    quantity, amount = (-Decimal(line.get(name) or "0") for name in ("quantity", "amount"))
    return {
        "memo": line.get("memo"),
        "quantity": f"{quantity:f}",
        "rate": line.get("rate") or "0",
        "amount": f"{amount:f}",
    }


def local_stamp(row: JsonDict) -> datetime:
    """The clock of the account, written as if it were UTC: good for order, not for comparing with other systems."""
    return datetime.fromisoformat(row["modified"]).replace(tzinfo=UTC)


def literal(moment: datetime) -> str:
    return f"TO_DATE('{moment:%Y-%m-%d %H:%M:%S}', '{MOMENT}')"
