"""Writing Odoo through its import: batches in one transaction, each record with an external id that finds it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.errors import ConnectorError, FatalError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.odoo.api import MODULE
from apps.connectors.vendors.odoo.streams import OdooStream

if TYPE_CHECKING:
    from apps.connectors.vendors.odoo.connector import OdooConnector

Outcome = int | ConnectorError


class OdooSink(Removing):
    """Payload keys are columns of Odoo's import: a field, or `field/.id` for a reference by database id.

    A null leaves the field as it is. Records with the same columns go out together; when Odoo refuses the lot, nothing
    was written, and those it named are tried alone.
    """

    def __init__(self, connector: OdooConnector, *, name: str) -> None:
        self.connector = connector
        self.api = connector.api
        self.name = name
        self.stream = OdooStream(connector, name=name)
        self.model = self.stream.object.model

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        outcomes: dict[str, Outcome] = {}
        existing = self._existing([request for request in requests if request.external_id is None])
        wanted: list[tuple[WriteRequest, JsonDict]] = []
        for request in requests:
            if request.key in existing:
                outcomes[request.key] = existing[request.key]
                continue
            try:
                wanted.append((request, self.columns(request)))
            except RecordRejected as error:
                outcomes[request.key] = error
        for group in by_columns(wanted):
            outcomes |= self._load(group)
        for request in requests:
            found = outcomes[request.key]
            if isinstance(found, int):
                outcomes[request.key] = self._completed(request, found)
        self._reopen([found for r in requests if r.payload.get("open") and isinstance(found := outcomes[r.key], int)])
        return self._read_back(requests, outcomes)

    def resolve(self, key: str) -> SourceRecord | None:
        found = self.api.ids_of(self.model, [key]).get(key)
        return self.stream.get(str(found)) if found else None

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def remove(self, external_id: str) -> None:
        """Odoo keeps what others refer to (a customer with invoices), and what is posted."""
        self.api.call(self.model, "unlink", ids=[int(external_id)])

    def columns(self, request: WriteRequest) -> JsonDict:
        """What is written, as text by column; lines under "lines". Raises RecordRejected."""
        constants = CONSTANTS.get(self.name, {}) if request.external_id is None else {}
        types = self.api.types(self.model)
        return {
            **constants,
            **{
                column: cell(value)
                for column, value in request.payload.items()
                if value is not None and column.split("/")[0] in types
            },
        }

    def mark(self, request: WriteRequest) -> str:
        """The external id of what this request creates."""
        return request.key

    def complete(self, request: WriteRequest, record_id: int) -> None:
        """What a record still needs before it counts as written. Raises RecordRejected."""

    def _existing(self, requests: list[WriteRequest]) -> dict[str, int]:
        """Key → id of what earlier attempts created."""
        keys = {self.mark(request): request.key for request in requests}
        found = self.api.ids_of(self.model, list(keys)) if keys else {}
        return {keys[name]: record_id for name, record_id in found.items()}

    def _completed(self, request: WriteRequest, record_id: int) -> Outcome:
        try:
            self.complete(request, record_id)
        except RecordRejected as error:
            return error
        return record_id

    def _reopen(self, ids: list[int]) -> None:
        """Open again what is closed there; what is open keeps the finer status that people gave it."""
        if not ids or self.name not in CLOSED:
            return
        field, closed, reopened = CLOSED[self.name]
        rows = self.api.search(self.model, [["id", "in", ids], [field, "in", closed]], fields=(field,))
        if rows:
            self.api.call(self.model, "write", ids=[row["id"] for row in rows], vals={field: reopened})

    def _load(self, group: list[tuple[WriteRequest, JsonDict]]) -> dict[str, Outcome]:
        """Ids or refusals by key."""
        if not group:
            return {}
        columns, rows = table([(self._identity(request), values) for request, values in group])
        answer = self.api.load(self.model, columns, rows)
        errors = [message for message in answer["messages"] if message["type"] == "error"]
        if not errors:
            return {request.key: found for (request, _), found in zip(group, answer["ids"], strict=True)}
        if len(group) == 1:
            return {group[0][0].key: RecordRejected(errors[0]["message"], code=errors[0].get("field", ""))}
        # The list may begin with an error of the whole that carries the first record's number, so a named record is
        # only a suspect.
        suspects = {message.get("record") for message in errors}
        outcomes: dict[str, Outcome] = {}
        for number, pair in enumerate(group):
            if number in suspects or None in suspects:
                outcomes |= self._load([pair])
        rest = [pair for pair in group if pair[0].key not in outcomes]
        return outcomes | self._load(rest)

    def _identity(self, request: WriteRequest) -> JsonDict:
        if request.external_id is None:
            return {"id": f"{MODULE}.{self.mark(request)}"}
        return {".id": request.external_id}

    def _read_back(self, requests: list[WriteRequest], outcomes: dict[str, Outcome]) -> list[WriteResult]:
        records = self.stream.get_many(sorted({found for found in outcomes.values() if isinstance(found, int)}))
        results = []
        for request in requests:
            found = outcomes[request.key]
            if isinstance(found, ConnectorError):
                results.append(WriteResult(key=request.key, error=found))
                continue
            record = records.get(str(found))
            if record is None:
                raise FatalError(f"Odoo does not show {self.model} {found} that it just wrote", code="read_back")
            results.append(WriteResult(key=request.key, record=record))
        return results


class OpportunitySink(OdooSink):
    """Won and lost are buttons in Odoo: they move the stage, the probability and the archive flag together."""

    def complete(self, request: WriteRequest, record_id: int) -> None:
        wanted = request.payload.get("stage")
        record = self.stream.get(str(record_id)) if wanted else None
        if record is None or record.data["stage"] == wanted:
            return
        if record.data["stage"] == "lost":
            self.api.call(self.model, "action_unarchive", ids=[record_id])
        action = {"won": "action_set_won", "lost": "action_set_lost"}.get(str(wanted))
        if action:
            self.api.call(self.model, action, ids=[record_id])


class EmployeeSink(OdooSink):
    """People who leave are archived: their time, expenses and contracts refer to them."""

    def is_gone(self, record: SourceRecord) -> bool:
        return record.data["active"] is False

    def remove(self, external_id: str) -> None:
        self.api.call(self.model, "write", ids=[int(external_id)], vals={"active": False})


class ExpenseSink(OdooSink):
    """An expense belongs to a project by the project's analytic account, which the import has no column for."""

    def columns(self, request: WriteRequest) -> JsonDict:
        product = self.connector.expense_product if request.external_id is None else ""
        return {**super().columns(request), **({"product_id/.id": product} if product else {})}

    def complete(self, request: WriteRequest, record_id: int) -> None:
        project = request.payload.get("project")
        if not project:
            return
        field = self.connector.analytic_field
        rows = self.api.search("project.project", [["id", "=", int(project)]], fields=(field,))
        account = rows[0][field] if rows else None
        if account:
            distribution = {"analytic_distribution": {str(account["id"]): 100}}
            self.api.call(self.model, "write", ids=[record_id], vals=distribution)


# Field, values that mean closed, and what an open record gets instead.
CLOSED: dict[str, tuple[str, list[str], str]] = {
    "projects": ("last_update_status", ["done", "on_hold"], "on_track"),
    "tasks": ("state", ["1_done", "1_canceled"], "01_in_progress"),
}
# What tells the object from others in the same model.
CONSTANTS: dict[str, dict[str, str]] = {
    "companies": {"is_company": "1"},
    "people": {"is_company": "0", "type": "contact"},
    "opportunities": {"type": "opportunity"},
    "invoices": {"move_type": "out_invoice"},
}


def cell(value: Any) -> str:
    """The import takes text only. An empty cell would clear the field, so nulls never get here."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def by_columns(wanted: list[tuple[WriteRequest, JsonDict]]) -> list[list[tuple[WriteRequest, JsonDict]]]:
    """Groups with equal columns; a record id and an external id are different columns too."""
    groups: dict[tuple[bool, frozenset[str]], list[tuple[WriteRequest, JsonDict]]] = {}
    for request, values in wanted:
        groups.setdefault((request.external_id is None, frozenset(values)), []).append((request, values))
    return list(groups.values())


def table(records: list[tuple[JsonDict, JsonDict]]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows. A record with lines spans a row per line, of which only the first carries its own values."""
    identity, values = records[0]
    own = [*identity, *(name for name in values if name != "lines")]
    line_columns = sorted({column for _, values in records for line in values.get("lines", []) for column in line})
    rows: list[list[str]] = []
    for identity, values in records:
        head = {**identity, **values}
        lines: list[JsonDict] = values.get("lines") or [{}]
        for number, line in enumerate(lines):
            first = [head[name] if number == 0 else "" for name in own]
            rows.append([*first, *(line.get(column, "") for column in line_columns)])
    return [*own, *line_columns], rows
