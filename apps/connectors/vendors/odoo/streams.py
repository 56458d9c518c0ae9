"""Reading Odoo in the order of `write_date`. What is deleted there leaves no trace: only a full comparison shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apps.connectors.sdk.stamps import Span, StampWalk
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.odoo.api import Domain
from apps.connectors.vendors.odoo.objects import LINES, OBJECTS, OdooObject

if TYPE_CHECKING:
    from apps.connectors.vendors.odoo.connector import OdooConnector

# `write_date` is when a transaction began; it shows when the transaction ends.
OVERLAP = timedelta(seconds=120)
LARGEST_PAGE = 1000


class OdooStream:
    """One object. `write_date` also moves when a stored value is recomputed: an invoice that was paid is seen."""

    def __init__(self, connector: OdooConnector, *, name: str) -> None:
        self.connector = connector
        self.api = connector.api
        self.name = name
        self.object: OdooObject = OBJECTS[name]

    @property
    def fields(self) -> list[str]:
        return [*self.object.fields, *self.api.custom(self.object.model)]

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        walk = StampWalk(self._search, stamp=stamp_of, identity=lambda row: str(row["id"]), overlap=OVERLAP)
        for rows, after in walk.pages(checkpoint, size=min(page_size, LARGEST_PAGE)):
            yield Page(records=self.records(rows), checkpoint=after)

    def get(self, external_id: str) -> SourceRecord | None:
        return self.get_many([int(external_id)]).get(external_id)

    def get_many(self, ids: list[int]) -> dict[str, SourceRecord]:
        """The records by id; those Odoo does not show are absent."""
        if not ids:
            return {}
        rows = self.api.search(self.object.model, [*self.object.domain, ["id", "in", ids]], fields=self.fields)
        return {record.external_id: record for record in self.records(rows)}

    def _search(self, span: Span, limit: int) -> list[JsonDict]:
        # Stored to the microsecond, told and compared to the second: "after the last one" would find it again.
        domain: Domain = [*self.object.domain]
        order = "write_date, id"
        if span.since is not None:
            domain.append(["write_date", ">=", wire_moment(span.since)])
        if span.until is not None:
            domain.append(["write_date", "<", wire_moment(span.until)])
            order = "id"
        if span.after:
            domain.append(["id", ">", int(span.after)])
        return self.api.search(self.object.model, domain, fields=self.fields, order=order, limit=limit)

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        if rows and self.object.party:
            rows = self._with_parties(rows)
        if rows and self.object.lines:
            rows = self._with_lines(rows)
        if rows and self.name == "opportunities":
            rows = self._with_sales(rows)
        if rows and self.name == "expenses":
            rows = self._with_projects(rows)
        return [self._record(row) for row in rows]

    def _record(self, row: JsonDict) -> SourceRecord:
        return SourceRecord(
            external_id=str(row["id"]),
            data=row,
            modified_at=stamp_of(row),
            url=f"{self.connector.base_url}/web#id={row['id']}&model={self.object.model}",
            deleted=row.get("state") in self.object.gone,
        )

    def _with_parties(self, rows: list[JsonDict]) -> list[JsonDict]:
        """Each row with `account` and `contact`: a partner is a company, a person in one, or a person alone."""
        wanted = sorted({found["id"] for row in rows if (found := row.get(self.object.party))})
        fields = ("is_company", "commercial_partner_id")
        partners = {row["id"]: row for row in self.api.search("res.partner", [["id", "in", wanted]], fields=fields)}
        heads = sorted(
            {row["commercial_partner_id"]["id"] for row in partners.values() if row["commercial_partner_id"]}
        )
        missing = [head for head in heads if head not in partners]
        if missing:
            found_heads = self.api.search("res.partner", [["id", "in", missing]], fields=fields)
            partners |= {row["id"]: row for row in found_heads}
        return [{**row, **party(row.get(self.object.party), partners)} for row in rows]

    def _with_lines(self, rows: list[JsonDict]) -> list[JsonDict]:
        model, fields = LINES[self.object.lines]
        wanted = sorted(found for row in rows for found in row[self.object.lines] or [])
        lines = self.api.search(model, [["id", "in", wanted]], fields=fields, order="sequence, id") if wanted else []
        by_id = {line["id"]: line for line in lines if line.get("display_type") in (None, "product")}
        place = {line_id: number for number, line_id in enumerate(by_id)}
        return [
            {**row, "lines": [by_id[i] for i in sorted(row[self.object.lines] or [], key=lambda i: place.get(i, 0)) if i in by_id]}
            for row in rows
        ]  # fmt: skip

    def _with_sales(self, rows: list[JsonDict]) -> list[JsonDict]:
        """With the stage in three words, and the seller's address."""
        owners = self.connector.emails([row["user_id"]["id"] for row in rows if row["user_id"]])
        won = self.connector.won_stages
        return [
            {
                **row,
                "stage": stage_of(row, won),
                "owner_email": owners.get(row["user_id"]["id"]) if row["user_id"] else None,
            }
            for row in rows
        ]

    def _with_projects(self, rows: list[JsonDict]) -> list[JsonDict]:
        """Each expense with the project whose analytic account it is booked on."""
        field = self.connector.analytic_field
        wanted = sorted({found for row in rows for found in analytic_accounts(row)})
        domain: Domain = [[field, "in", wanted]]
        projects = self.api.search("project.project", domain, fields=(field,)) if wanted else []
        by_account = {project[field]["id"]: project["id"] for project in projects}
        found = [next((by_account[a] for a in analytic_accounts(row) if a in by_account), None) for row in rows]
        return [{**row, "project": project} for row, project in zip(rows, found, strict=True)]


def analytic_accounts(row: JsonDict) -> list[int]:
    """The keys of the distribution: "7", or "7,12" for one account of each plan."""
    return [int(part) for key in row.get("analytic_distribution") or {} for part in key.split(",")]


def stage_of(lead: JsonDict, won: set[int]) -> str:
    """A lost opportunity is an archived one."""
    if not lead["active"]:
        return "lost"
    return "won" if lead["stage_id"] and lead["stage_id"]["id"] in won else "open"


def party(partner: JsonDict | None, partners: dict[int, JsonDict]) -> JsonDict:
    found = partners.get(partner["id"]) if partner else None
    if found is None:
        return {"account": None, "contact": None}
    head = partners.get((found["commercial_partner_id"] or {}).get("id", 0))
    account = head["id"] if head and head["is_company"] else None
    return {"account": account, "contact": None if found["is_company"] else found["id"]}


def stamp_of(row: JsonDict) -> datetime:
    return datetime.fromisoformat(row["write_date"])


def wire_moment(moment: datetime) -> str:
    """Odoo keeps moments in UTC without saying so."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
