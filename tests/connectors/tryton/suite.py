"""What the Tryton connector must do, on the simulator and on the real server alike."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.types import SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.tryton import CONNECTOR
from tests.connectors.delivery import read_all
from tests.connectors.evaluation import Mappings
from tests.connectors.tryton.dates import day_before, due_day, invoice_day


class Firm(Protocol):
    """A Tryton in which somebody works besides us."""

    base_url: str
    api_key: str
    employees: dict[str, str]
    accounts: dict[str, str]

    def add_party(self, name: str) -> str: ...

    def rename_party(self, party: str, name: str) -> None: ...

    def delete_party(self, party: str) -> None: ...

    def pay(self, invoice: str, amount: Decimal) -> None: ...


def connect(firm: Firm, *, api_key: str = "", **settings: str) -> Any:
    context = ConnectionContext(
        settings={"base_url": firm.base_url, **settings},
        credentials={"api_key": api_key or firm.api_key},
        now=lambda: datetime.now(UTC),
        allow_private=True,
    )
    return CONNECTOR(context)


mappings = Mappings(CONNECTOR.manifest)


def mapped(stream: str, record: SourceRecord) -> dict[str, Any]:
    """The canonical fields of a record, and its references under `refs`."""
    return {**mappings.source(stream, record.data), "refs": mappings.refs(stream, record.data)}


def payload(sink: str, record: dict[str, Any], **refs: str | None) -> dict[str, Any]:
    """What the engine would hand to a sink."""
    return mappings.sink(sink, record, {**dict.fromkeys(CONNECTOR.manifest.sink(sink).refs), **refs})


def ok(result: WriteResult) -> SourceRecord:
    assert result.error is None, result.error
    assert result.record is not None
    return result.record


def create(connector: Any, sink: str, key: str, record: dict[str, Any], **refs: str | None) -> SourceRecord:
    return ok(connector.sink(sink).write([WriteRequest(key=key, payload=payload(sink, record, **refs))])[0])


ACCOUNT = {"name": "Initech GmbH", "email": "ap@initech.example", "phone": None, "website": "https://initech.example"}
EUR = "EUR"


def euros(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": EUR}


def invoice(number: str, **fields: Any) -> dict[str, Any]:
    line = {"description": "Consulting", "quantity": "3.25", "unit_price": euros(15000), "amount": euros(48750)}
    return {
        "number": number, "reference": None, "status": "open", "issue_date": invoice_day().isoformat(), "due_date": due_day().isoformat(),
        "currency": EUR, "subtotal": euros(48750), "tax": euros(0), "total": euros(48750), "lines": [line], **fields,
    }  # fmt: skip


class KeptTogether:
    """What deleting must not tear apart."""

    def test_what_others_refer_to_is_not_deleted(self, firm: Firm) -> None:
        connector = connect(firm)
        party = create(connector, "parties", "kept-party", ACCOUNT).external_id
        project = create(connector, "projects", "kept-project", {"name": "Kept", "status": "open"}, account=party)

        task_fields = {"name": "Part", "status": "open", "estimate_seconds": 60}
        task = create(connector, "tasks", "kept-task", task_fields, project=project.external_id)

        for sink, external_id in (("parties", party), ("projects", project.external_id)):
            with pytest.raises(RecordRejected, match="belong to it"):
                connector.sink(sink).delete(external_id)
        assert mapped("projects", connector.stream("projects").get(project.external_id))["refs"] == {"account": party}
        connector.sink("tasks").delete(task.external_id)
        for sink, external_id in (("projects", project.external_id), ("parties", party), ("parties", party)):
            connector.sink(sink).delete(external_id)

        assert connector.stream("projects").get(project.external_id) is None
        assert connector.stream("parties").get(party) is None


class TrytonSuite(KeptTogether):
    """Subclasses provide the fixture `firm`."""

    def test_a_good_key_shows_the_company(self, firm: Firm) -> None:
        assert connect(firm).check().account_name == "Dunder Mifflin"

    def test_a_bad_key_is_a_matter_for_a_person(self, firm: Firm) -> None:
        with pytest.raises(ConfigurationError) as caught:
            connect(firm, api_key="not-a-key").check()
        assert caught.value.status == 401

    def test_a_company_that_is_not_there_is_named(self, firm: Firm) -> None:
        with pytest.raises(ConfigurationError, match="Dunder Mifflin"):
            connect(firm, company="77").check()

    def test_employees_carry_the_address_they_are_matched_by(self, firm: Firm) -> None:
        records, checkpoint = read_all(connect(firm), "employees", size=1)

        people = {record.external_id: mapped("employees", record) for record in records}
        assert people[firm.employees["dana"]] == {
            "name": "Dana Reyes", "email": "dana@northwind.example", "status": "active", "refs": {},
        }  # fmt: skip
        assert checkpoint == {}

    def test_a_party_is_created_found_by_its_key_and_changed(self, firm: Firm) -> None:
        connector = connect(firm)
        created = create(connector, "parties", "party-k1", ACCOUNT)

        fields = mapped("parties", created)
        assert (fields["name"], fields["email"]) == ("Initech GmbH", "ap@initech.example")
        assert (fields["phone"], fields["website"], fields["status"]) == (None, "https://initech.example", "active")
        assert connector.sink("parties").resolve("party-k1").external_id == created.external_id
        assert connector.sink("parties").resolve("party-k") is None

        change = payload("parties", {**ACCOUNT, "name": "Initech AG", "email": "billing@initech.example"})
        request = WriteRequest(key="party-k2", external_id=created.external_id, payload=change)
        changed = mapped("parties", ok(connector.sink("parties").write([request])[0]))
        assert (changed["name"], changed["email"]) == ("Initech AG", "billing@initech.example")
        assert changed["website"] == "https://initech.example"

    def test_one_refused_record_does_not_keep_the_others_out(self, firm: Firm) -> None:
        sink = connect(firm).sink("parties")
        requests = [
            WriteRequest(key="mixed-1", payload={"name": "Good One"}),
            WriteRequest(key="mixed-2", payload={"name": ""}),
            WriteRequest(key="mixed-3", payload={"name": "Bad", "email": "x", "nothing": "y"}),
            WriteRequest(key="mixed-4", payload={"name": "Gone"}, external_id="999999"),
        ]
        results = sink.write(requests)
        assert [result.key for result in results] == ["mixed-1", "mixed-2", "mixed-3", "mixed-4"]
        assert [isinstance(result.error, RecordRejected) for result in results] == [False, True, False, True]
        assert sink.resolve("mixed-2") is None

    def test_pages_and_resumes_without_a_gap(self, firm: Firm) -> None:
        connector = connect(firm)
        wanted = {firm.add_party(f"Paged {number}") for number in range(5)}
        pages = []
        for page in connector.stream("parties").read(checkpoint=None, page_size=2):
            pages.append(page)
            if len(pages) == 2:
                break
        rest, _ = read_all(connector, "parties", pages[-1].checkpoint, size=2)
        seen = [record.external_id for page in pages for record in page.records] + [r.external_id for r in rest]
        assert wanted <= set(seen)
        assert len(seen) == len(set(seen))

    def test_what_was_deleted_is_told_once_and_only_to_those_who_saw_it(self, firm: Firm) -> None:
        connector = connect(firm)
        kept, *doomed = (firm.add_party(f"Doomed {number}") for number in range(12))
        first, checkpoint = read_all(connector, "parties")
        for party in doomed:
            firm.delete_party(party)

        told, after = read_all(connector, "parties", checkpoint)
        again, _ = read_all(connector, "parties", after)
        fresh, _ = read_all(connect(firm), "parties")

        assert {*doomed, kept} <= {record.external_id for record in first}
        assert [record.external_id for record in told if record.deleted] == doomed
        assert [record for record in (*again, *fresh) if record.deleted] == []
        assert doomed[0] not in {record.external_id for record in fresh}

    def test_nothing_written_during_a_read_is_missed(self, firm: Firm) -> None:
        connector = connect(firm)
        parties = [firm.add_party(f"Moving {number}") for number in range(3)]
        seen: dict[str, str] = {}
        checkpoint = None
        for page in connector.stream("parties").read(checkpoint=None, page_size=2):
            if checkpoint is None:
                firm.rename_party(parties[0], "Moved 0")
                added = firm.add_party("Added meanwhile")
            checkpoint = page.checkpoint
            seen.update({record.external_id: record.data["name"] for record in page.records})
        later, _ = read_all(connector, "parties", checkpoint)
        seen.update({record.external_id: record.data["name"] for record in later})
        assert seen[parties[0]] == "Moved 0"
        assert seen[added] == "Added meanwhile"

    def test_work_is_provisioned_and_time_recorded_on_it(self, firm: Firm) -> None:
        connector = connect(firm)
        party = create(connector, "parties", "chain-party", ACCOUNT).external_id
        project = create(
            connector, "projects", "chain-project", {"name": "Rollout", "status": "planned"}, account=party
        )
        task_fields = {"name": "Data migration", "status": "open", "estimate_seconds": 43200}
        task = create(connector, "tasks", "chain-task", task_fields, project=project.external_id)
        entry = {"work_date": "2026-11-20", "duration_seconds": 11700, "description": "Mapping workshop"}
        refs = {"resource": firm.employees["dana"], "project": project.external_id}
        on_task = create(connector, "timesheet_lines", "chain_time-1", entry, task=task.external_id, **refs)
        on_project = create(connector, "timesheet_lines", "chain_time-2", entry, **refs)

        shown = mapped("projects", project)
        assert (shown["name"], shown["status"], shown["refs"]) == ("Rollout", "open", {"account": party})
        assert mapped("tasks", task) == {**task_fields, "refs": {"project": project.external_id}}
        assert mapped("timesheet_lines", on_task) == {
            **entry, "status": "approved", "billable": True,
            "refs": {
                "project": project.external_id, "task": task.external_id, "resource": firm.employees["dana"],
            },
        }  # fmt: skip
        assert mapped("timesheet_lines", on_project)["refs"]["task"] is None
        for sink, key, record in (
            ("projects", "chain-project", project),
            ("tasks", "chain-task", task),
            ("timesheet_lines", "chain_time-1", on_task),
            ("timesheet_lines", "chain_time-2", on_project),
        ):
            assert connector.sink(sink).resolve(key).external_id == record.external_id
        assert connector.sink("timesheet_lines").resolve("chainXtime-1") is None

    def test_work_is_closed_and_time_corrected(self, firm: Firm) -> None:
        connector = connect(firm)
        party = create(connector, "parties", "close-party", ACCOUNT).external_id
        project = create(connector, "projects", "close-project", {"name": "Short", "status": "open"}, account=party)
        refs = {"resource": firm.employees["omar"], "project": project.external_id}
        entry = {"work_date": "2026-11-19", "duration_seconds": 3600, "description": None}
        line = create(connector, "timesheet_lines", "close-time", entry, **refs)

        more = payload("timesheet_lines", {**entry, "duration_seconds": 5400, "description": "Longer"}, **refs)
        request = WriteRequest(key="close-time-2", external_id=line.external_id, payload=more)
        changed = mapped("timesheet_lines", ok(connector.sink("timesheet_lines").write([request])[0]))
        assert (changed["duration_seconds"], changed["description"]) == (5400, "Longer")
        assert connector.sink("timesheet_lines").resolve("close-time").external_id == line.external_id
        closing = payload("projects", {"name": "Short", "status": "closed"}, account=party)
        request = WriteRequest(key="close-project-2", external_id=project.external_id, payload=closing)
        assert mapped("projects", ok(connector.sink("projects").write([request])[0]))["status"] == "closed"

    def test_an_invoice_is_posted_exactly_and_its_payments_come_back(self, firm: Firm) -> None:
        connector = connect(firm, tax_account=firm.accounts["tax"])
        party = create(connector, "parties", "bill-party", ACCOUNT).external_id
        wanted = invoice("F-2026-1", tax=euros(9263), total=euros(58013))
        created = create(connector, "invoices", "bill-1", wanted, account=party)

        shown = mapped("invoices", created)
        assert (shown["status"], shown["reference"], shown["refs"]) == ("open", "F-2026-1", {"account": party})
        assert (shown["subtotal"], shown["tax"], shown["total"]) == (euros(48750), euros(9263), euros(58013))
        assert (shown["amount_paid"], shown["amount_due"]) == (euros(0), euros(58013))
        assert (shown["issue_date"], shown["due_date"]) == (wanted["issue_date"], wanted["due_date"])
        assert shown["lines"] == wanted["lines"]
        assert shown["number"]
        assert connector.sink("invoices").resolve("bill-1").external_id == created.external_id
        _, checkpoint = read_all(connector, "invoices")
        _, paid_until = read_all(connector, "payments")

        firm.pay(created.external_id, Decimal("100.00"))
        part = mapped("invoices", connector.stream("invoices").get(created.external_id))
        assert (part["status"], part["amount_paid"], part["amount_due"]) == ("open", euros(10000), euros(48013))
        firm.pay(created.external_id, Decimal("480.13"))
        changed, _ = read_all(connector, "invoices", checkpoint)
        whole = {record.external_id: mapped("invoices", record) for record in changed}[created.external_id]
        assert (whole["status"], whole["amount_paid"], whole["amount_due"]) == ("paid", euros(58013), euros(0))
        assert whole["due_date"] == wanted["due_date"]
        payments = [mapped("payments", record) for record in read_all(connector, "payments", paid_until)[0]]
        ours = [p for p in payments if p["refs"]["invoice"] == created.external_id]
        assert [p["amount"] for p in ours] == [euros(10000), euros(48013)]

    def test_an_invoice_dated_before_the_last_is_refused_and_leaves_nothing(self, firm: Firm) -> None:
        connector = connect(firm)
        party = create(connector, "parties", "late-party", ACCOUNT).external_id
        create(connector, "invoices", "late-1", invoice("L-1"), account=party)
        before = payload("invoices", invoice("L-2", issue_date=day_before().isoformat(), due_date=None), account=party)
        result = connector.sink("invoices").write([WriteRequest(key="late-2", payload=before)])[0]
        assert isinstance(result.error, RecordRejected)
        assert "must set an invoice date after" in result.error.message
        assert connector.sink("invoices").resolve("late-2") is None

    def test_a_draft_owes_everything(self, firm: Firm) -> None:
        connector = connect(firm)
        party = create(connector, "parties", "draft-party", ACCOUNT).external_id
        shown = mapped(
            "invoices", create(connector, "invoices", "draft-1", invoice("D-1", status="draft"), account=party)
        )
        assert (shown["status"], shown["number"]) == ("draft", None)
        assert (shown["amount_paid"], shown["amount_due"]) == (euros(0), euros(48750))

    @pytest.mark.parametrize(
        ("case", "fields", "says"),
        [
            ("total that does not add up", {"total": euros(48751)}, "total"),
            ("line no price can make", {"lines": [{
                "description": "x", "quantity": "3000000", "unit_price": euros(33), "amount": euros(99999999)}],
                "total": euros(99999999)}, "exactly"),
            ("tax without an account for it", {"tax": euros(100), "total": euros(48850)}, "account for taxes"),
            ("no open period", {"issue_date": "2041-01-01", "due_date": None}, "period"),
        ],
    )  # fmt: skip
    def test_an_invoice_that_would_not_be_exact_is_refused_and_leaves_nothing(
        self, firm: Firm, case: str, fields: dict[str, Any], says: str
    ) -> None:
        connector = connect(firm)
        party = create(connector, "parties", f"refused {says}", ACCOUNT).external_id
        request = WriteRequest(
            key=f"refused-{says}", payload=payload("invoices", invoice("R-1", **fields), account=party)
        )
        result = connector.sink("invoices").write([request])[0]
        assert isinstance(result.error, RecordRejected), case
        assert says in result.error.message
        assert connector.sink("invoices").resolve(f"refused-{says}") is None

    def test_half_cents_are_rounded_as_asked_not_as_tryton_would(self, firm: Firm) -> None:
        connector = connect(firm)
        party = create(connector, "parties", "half-party", ACCOUNT).external_id
        # 0.5 x 0.25 = 0.125, which Tryton rounds to the even 0.12; our books say 0.13.
        line = {"description": "Half", "quantity": "0.5", "unit_price": euros(25), "amount": euros(13)}
        wanted = invoice("H-1", subtotal=euros(13), total=euros(13), lines=[line])
        shown = mapped("invoices", create(connector, "invoices", "half-1", wanted, account=party))
        assert (shown["total"], shown["lines"][0]["amount"]) == (euros(13), euros(13))

    def test_a_crash_between_creating_and_posting_is_finished_by_resolving(self, firm: Firm) -> None:
        connector = connect(firm)
        party = create(connector, "parties", "crash-party", ACCOUNT).external_id
        sink = connector.sink("invoices")
        request = WriteRequest(key="crash-1", payload=payload("invoices", invoice("C-1"), account=party))
        (left_behind,) = connector.api.create("account.invoice", [sink.creation(request)])

        found = sink.resolve("crash-1")

        assert found.external_id == str(left_behind)
        assert found.data["state"] == "posted"
