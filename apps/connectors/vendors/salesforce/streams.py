"""Reading: SOQL over deleted rows too, walked by modification time and id.

Salesforce stamps whole seconds, so hundreds of rows share one: the walk continues inside a second by id. `queryAll`
shows the recycle bin, where a delete is a change like any other. A transaction stamps its rows when it starts writing and
shows them when it ends, so a new pass starts `OVERLAP` before the newest row of the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.salesforce.objects import CURRENCY, SalesforceObject

if TYPE_CHECKING:
    from apps.connectors.vendors.salesforce.connector import SalesforceConnector

OVERLAP = timedelta(minutes=5)
LARGEST_PAGE = 2000
SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")


class SalesforceStream:
    """A checkpoint is `{"since": ISO moment, "after_id": id | "", "complete": bool, "started": ISO moment}`.

    `after_id` marks a place within the second `since`. Only a complete pass is followed by the overlap.
    """

    def __init__(self, connector: SalesforceConnector, *, salesforce_object: SalesforceObject) -> None:
        self.connector = connector
        self.object = salesforce_object

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        size = max(1, min(page_size, LARGEST_PAGE))
        position = self._start(checkpoint)
        while not position["complete"]:
            rows = self._page(position, size)
            if rows:
                self._require_order(rows, position)
                position["since"], position["after_id"] = _literal(_moment(rows[-1])), rows[-1]["Id"]
            position["complete"] = len(rows) < size
            if position["complete"]:
                # Nothing older than the pass itself may be skipped by the next one, however long this one took.
                position["since"] = min(position["since"], position["started"])
            yield Page(records=[self._record(row) for row in rows], checkpoint=dict(position))

    def get(self, external_id: str) -> SourceRecord | None:
        return self.get_many([external_id]).get(external_id)

    def get_many(self, external_ids: list[str]) -> dict[str, SourceRecord]:
        """The records by id; what Salesforce does not know or has in its recycle bin is absent."""
        known = [external_id for external_id in external_ids if SALESFORCE_ID.fullmatch(external_id)]
        if not known:
            return {}
        rows = self.connector.query(f"{self._select()} WHERE Id IN ({', '.join(map(quoted, known))})")
        return {row["Id"]: self._record(row) for row in rows}

    def find_all(self, field: str, values: list[str]) -> dict[str, SourceRecord]:
        """The records with these values of a unique field, by value. Raises FatalError where it is not unique."""
        rows = self.connector.query(f"{self._select()} WHERE {field} IN ({', '.join(map(quoted, values))})")
        found = {row[field]: self._record(row) for row in rows}
        if len(found) < len(rows):
            raise FatalError(f"{self.object.sobject}.{field} is not unique", code="not_unique")
        return found

    def _start(self, checkpoint: JsonDict | None) -> JsonDict:
        position = dict(checkpoint or {"since": "", "after_id": "", "complete": True})
        if position["complete"]:
            started = self.connector.context.now()
            position |= {"complete": False, "started": _literal(started), "after_id": ""}
            if position["since"]:
                position["since"] = _literal(datetime.fromisoformat(position["since"]) - OVERLAP)
        return position

    def _page(self, position: JsonDict, size: int) -> list[JsonDict]:
        where, since = "", position["since"]
        if since:
            # The first condition is the one Salesforce has an index for.
            where = f" WHERE SystemModstamp >= {since}"
            if position["after_id"]:
                where += f" AND (SystemModstamp > {since} OR Id > {quoted(position['after_id'])})"
        soql = f"{self._select()}{where} ORDER BY SystemModstamp, Id LIMIT {size}"
        return self.connector.query(soql, deleted=True)

    def _select(self) -> str:
        return f"SELECT {', '.join(self.connector.fields(self.object))} FROM {self.object.sobject}"  # noqa: S608 - SOQL of constants and described fields

    def _require_order(self, rows: list[JsonDict], position: JsonDict) -> None:
        """The walk rests on the order; an answer that ignored it would lose records without a word."""
        times = [_literal(_moment(row)) for row in rows]
        if times != sorted(times) or times[0] < position["since"]:
            raise FatalError("Salesforce's answer came back unsorted", code="unsorted")

    def _record(self, row: JsonDict) -> SourceRecord:
        data: dict[str, Any] = {**row, "currency": row.get(CURRENCY) or self.connector.currency or None}
        # Salesforce gives null for a subquery that found nothing.
        data |= {name: row.get(name) or [] for name in self.object.children}
        if "Website" in row:
            data["domain"] = domain_of(row["Website"])
        return SourceRecord(
            external_id=row["Id"],
            data=data,
            modified_at=_moment(row),
            url=f"{self.connector.base_url}/{row['Id']}",
            deleted=bool(row["IsDeleted"]),
        )


def quoted(value: str) -> str:
    """A SOQL text literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def domain_of(website: str | None) -> str | None:
    """`initech.com` of `https://www.initech.com/about`; Salesforce has no field for it."""
    text = (website or "").strip().lower()
    host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    return host.removeprefix("www.") or None


def _moment(row: JsonDict) -> datetime:
    return datetime.fromisoformat(row["SystemModstamp"]).astimezone(UTC)


def _literal(moment: datetime) -> str:
    """A SOQL moment; all of them are of one length, so that they sort as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
