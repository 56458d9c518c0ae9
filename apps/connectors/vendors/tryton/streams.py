"""Reading Tryton: incremental by its own modification stamps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.tryton.api import Domain, TrytonApi
from apps.connectors.vendors.tryton.deletions import deletions, newest_line
from apps.connectors.vendors.tryton.wire import wire_moment

# Stamps are taken when a transaction starts but show when it commits, so a late one can hide behind what we have seen.
OVERLAP = timedelta(seconds=120)
STAMPS = ["create_date", "write_date"]
PHASES = ("created", "written")


class TrytonStream:
    """Reads never changed records by `create_date`, then changed ones by `write_date`.

    `write_date` is empty until the first change, and Tryton cannot order by "whichever is there". The order of the two
    passes matters: a record changed while the first runs moves into the second.
    """

    model = ""
    fields: tuple[str, ...] = ()
    domain: Domain = []
    shows_deletes = True

    def __init__(self, connector: Any) -> None:
        self.api: TrytonApi = connector.api

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        state = _opening(checkpoint or {})
        yield from self._deleted(state)
        while state["phase"] < len(PHASES):
            phase = PHASES[state["phase"]]
            rows = self._rows(self._after(phase, state), order=[[_stamp(phase), "ASC"], ["id", "ASC"]], limit=page_size)
            if rows:
                state[phase] = rows[-1][_stamp(phase)]
                state["id"] = rows[-1]["id"]
            if len(rows) < page_size:
                state["phase"] += 1
                state.pop("id", None)
                state.pop("since", None)
            yield Page(records=self.records(rows), checkpoint=_closing(state))

    def _deleted(self, state: JsonDict) -> Iterator[Page]:
        """Tombstones since the last pass; a first pass only notes where the log stands before it begins."""
        if not self.shows_deletes or state["phase"] > 0 or "id" in state:
            return
        until = newest_line(self.api)
        while found := deletions(self.api, self.model, after=state.get("log", until), until=until):
            state["log"] = found[-1][0]
            gone = [SourceRecord(external_id=record_id, data={}, deleted=True) for _, record_id in found]
            yield Page(records=gone, checkpoint=dict(state))
        state["log"] = until

    def _after(self, phase: str, state: JsonDict) -> Domain:
        stamp = _stamp(phase)
        domain: Domain = [*self.domain]
        if phase == "created":
            domain.append(["write_date", "=", None])
        else:
            domain.append(["write_date", "!=", None])
        if not state.get(phase):
            return domain
        at = datetime.fromisoformat(state[phase])
        if "id" not in state:
            return [*domain, [stamp, ">=", wire_moment(at - OVERLAP)]]
        moment = wire_moment(at)
        return [*domain, ["OR", [stamp, ">", moment], [[stamp, "=", moment], ["id", ">", state["id"]]]]]

    def _rows(self, domain: Domain, **options: Any) -> list[JsonDict]:
        rows = self.api.search(self.model, domain, fields=[*self.fields, *STAMPS], **options)
        return self.enriched(rows)

    def enriched(self, rows: list[JsonDict]) -> list[JsonDict]:
        """What other models must add to a page of rows."""
        return rows

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        return [record_of(row) for row in rows]

    def get(self, external_id: str) -> SourceRecord | None:
        return next(iter(self.get_many([external_id])), None)

    def get_many(self, external_ids: list[str]) -> list[SourceRecord]:
        """Those that exist, in the order asked for."""
        found = {
            str(row["id"]): row for row in self._rows([*self.domain, ["id", "in", [int(i) for i in external_ids]]])
        }
        return self.records([found[i] for i in external_ids if i in found])


class FullScanStream(TrytonStream):
    """For small objects whose changes their own stamps do not show (an employee's name belongs to the party)."""

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        after = int((checkpoint or {}).get("id", 0))
        while True:
            rows = self._rows([*self.domain, ["id", ">", after]], order=[["id", "ASC"]], limit=page_size)
            last = len(rows) < page_size
            after = rows[-1]["id"] if rows else after
            yield Page(records=self.records(rows), checkpoint={} if last else {"id": after})
            if last:
                return


def _opening(checkpoint: JsonDict) -> JsonDict:
    return {"phase": 0, **checkpoint}


def _closing(state: JsonDict) -> JsonDict:
    """Of a finished read only the two stamps and the place in the log remain."""
    if state["phase"] < len(PHASES):
        return dict(state)
    return {name: state[name] for name in (*PHASES, "log") if state.get(name) is not None}


def _stamp(phase: str) -> str:
    return "create_date" if phase == "created" else "write_date"


def record_of(row: JsonDict) -> SourceRecord:
    stamp = row.get("write_date") or row["create_date"]
    return SourceRecord(external_id=str(row["id"]), data=row, modified_at=datetime.fromisoformat(stamp))


class PartyStream(TrytonStream):
    model = "party.party"
    fields = (
        "name", "code", "active", "email", "phone", "website", "tax_identifier.code",
        "addresses", "account_receivable", "contact_mechanisms.type", "contact_mechanisms.value",
    )  # fmt: skip
    # Archived records are hidden unless the filter speaks of `active`.
    domain = [["active", "in", [True, False]]]


class WorkStream(TrytonStream):
    model = "project.work"
    fields = (
        "name", "number", "type", "path", "parent", "party", "comment", "effort_duration", "progress", "status.name",
        "status.progress",
    )  # fmt: skip


class ProjectStream(WorkStream):
    domain = [["type", "=", "project"]]


class TaskStream(WorkStream):
    domain = [["type", "=", "task"]]

    def enriched(self, rows: list[JsonDict]) -> list[JsonDict]:
        return with_projects(self.api, rows)


def ancestors(work: JsonDict) -> list[int]:
    """Ids from the root down to the work itself: `path` reads "2/5/"."""
    return [int(part) for part in (work["path"] or "").split("/") if part]


def with_projects(api: TrytonApi, works: list[JsonDict]) -> list[JsonDict]:
    """Each work with `project`, the id of the nearest project above it (or itself)."""
    wanted = sorted({ancestor for work in works for ancestor in ancestors(work)})
    found = (
        api.search("project.work", [["id", "in", wanted], ["type", "=", "project"]], fields=["type"]) if wanted else []
    )
    projects = {row["id"] for row in found}
    return [{**work, "project": next((a for a in reversed(ancestors(work)) if a in projects), None)} for work in works]


class EmployeeStream(FullScanStream):
    model = "company.employee"
    fields = ("party.name", "party.email", "start_date", "end_date", "active")
    domain = [["active", "in", [True, False]]]


class TimesheetLineStream(TrytonStream):
    model = "timesheet.line"
    fields = ("date", "duration", "description", "employee", "work.origin", "work.name")

    def enriched(self, rows: list[JsonDict]) -> list[JsonDict]:
        ids = sorted({found for row in rows if (found := work_id(row["work"]))})
        works = self.api.search("project.work", [["id", "in", ids]], fields=["type", "path"]) if ids else []
        by_id = {work["id"]: work for work in with_projects(self.api, works)}
        return [with_work(row, by_id.get(work_id(row["work"]) or 0)) for row in rows]

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        return [record_of({**row, "description": without_mark(row["description"])}) for row in rows]


def work_id(timesheet_work: JsonDict | None) -> int | None:
    """The project.work behind a timesheet.work, whose `origin` reads "project.work,5" (or is empty)."""
    origin = (timesheet_work or {}).get("origin") or ""
    model, _, number = origin.partition(",")
    return int(number) if model == "project.work" else None


def with_work(line: JsonDict, work: JsonDict | None) -> JsonDict:
    is_task = work is not None and work["type"] == "task"
    return {**line, "task": work["id"] if work and is_task else None, "project": work["project"] if work else None}


def mark(key: str) -> str:
    """How a key is left in a text field; Tryton has no field for the references of other systems."""
    return f"[sync_ref: {key}]"


def without_mark(text: str | None) -> str:
    return (text or "").split("[sync_ref: ")[0].rstrip()


class InvoiceStream(TrytonStream):
    model = "account.invoice"
    fields = (
        "number", "reference", "state", "invoice_date", "payment_term_date", "untaxed_amount", "tax_amount",
        "total_amount", "amount_to_pay", "currency.code", "party", "comment", "lines_to_pay.maturity_date",
        "lines.type", "lines.description", "lines.quantity", "lines.unit_price", "lines.amount",
    )  # fmt: skip
    domain = [["type", "=", "out"]]

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        return [record_of(shown_invoice(row)) for row in rows]


def shown_invoice(row: JsonDict) -> JsonDict:
    """With the due date, and what is still due: `amount_to_pay` of a draft is 0 although nothing was paid."""
    maturities = sorted(line["maturity_date"] for line in row["lines_to_pay"] if line["maturity_date"])
    due: str = {"posted": row["amount_to_pay"], "paid": "0", "cancelled": "0"}.get(row["state"]) or row["total_amount"]
    lines = [line for line in row["lines"] if line["type"] == "line"]
    due_date = maturities[-1] if maturities else row["payment_term_date"]
    # Which accounting entries the maturity was read from is of no interest, and their ids change when rescheduled.
    row = {name: value for name, value in row.items() if name != "lines_to_pay"}
    return {**row, "lines": lines, "due_date": due_date, "amount_due": due, "amount_paid": paid(row, due)}


def paid(row: JsonDict, due: str) -> str:
    return "0" if row["state"] == "cancelled" else str(Decimal(row["total_amount"]) - Decimal(due))


class PaymentStream(TrytonStream):
    """A payment is the accounting entry attached to an invoice as payment line."""

    model = "account.move.line"
    fields = (
        "invoice_payment", "date", "credit", "debit", "amount_second_currency", "second_currency.code", "description",
        "move.number", "move.company.currency.code", "move.journal.name",
    )  # fmt: skip
    domain = [["invoice_payment.type", "=", "out"]]
    # Posted entries cannot be deleted, and drafts were never payments.
    shows_deletes = False

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        return [record_of(shown_payment(row)) for row in rows]


def shown_payment(row: JsonDict) -> JsonDict:
    """With the amount in the invoice's currency: an entry in another currency than the books' carries both."""
    if row["second_currency"]:
        amount, currency = -Decimal(row["amount_second_currency"]), row["second_currency"]["code"]
    else:
        amount = Decimal(row["credit"]) - Decimal(row["debit"])
        currency = row["move"]["company"]["currency"]["code"]
    return {**row, "amount": str(amount), "currency": currency}
