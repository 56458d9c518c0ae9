"""Odoo's import as a way to write: batches, external ids, refusals, documents and payments."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import RecordRejected, TransientError
from apps.connectors.sdk.types import WriteRequest
from tests.connectors.odoo.support import Firm, euros, made, mapped, payload, read_all, write

LINE = {"description": "Consulting", "quantity": "3.25", "unit_price": euros(15000), "amount": euros(48750)}
INVOICE = {
    "status": "open", "currency": "EUR", "reference": "F-1", "issue_date": "2026-11-20", "due_date": "2026-12-20",
    "subtotal": euros(48750), "tax": euros(0), "total": euros(48750), "lines": [LINE],
}  # fmt: skip


def company(firm: Firm) -> str:
    return firm.make("companies", name="Initech")


def test_a_batch_of_creates_is_one_call_and_each_has_an_external_id(firm: Firm) -> None:
    connector = firm.connect()
    requests = [WriteRequest(key=f"k{n}", payload=payload("companies", {"name": f"C{n}"})) for n in range(20)]
    firm.control.clear_requests()

    results = connector.sink("companies").write(requests)

    assert [made(result).data["name"] for result in results] == [f"C{n}" for n in range(20)]
    assert firm.calls("load") == 1
    marks = {(row["module"], row["name"]): row["res_id"] for row in firm.control.objects("ir.model.data")}
    assert marks["sync_ref", "k7"] == int(made(results[7]).external_id)


def test_updates_of_different_records_share_a_call_and_null_leaves_a_field_alone(firm: Firm) -> None:
    connector = firm.connect()
    first = firm.make("companies", name="A", phone="1", active=False)
    second = firm.make("companies", name="B", phone="2")
    firm.control.clear_requests()
    requests = [
        WriteRequest(key="u1", external_id=first, payload=payload("companies", {"name": "A2"})),
        WriteRequest(key="u2", external_id=second, payload=payload("companies", {"name": "B2"})),
    ]

    results = connector.sink("companies").write(requests)

    assert [(made(r).data["name"], made(r).data["phone"]) for r in results] == [("A2", "1"), ("B2", "2")]
    assert firm.calls("load") == 1


def test_the_one_to_blame_is_refused_and_not_the_first(firm: Firm) -> None:
    """A failed batch reports an error of the whole under the number of its first record."""
    connector = firm.connect()
    project = firm.make("projects", name="Rollout")
    names = ["Good", "", "Better"]
    requests = [
        WriteRequest(key=f"m{n}", payload=payload("milestones", {"name": name, "status": "open"}, project=project))
        for n, name in enumerate(names)
    ]

    results = connector.sink("milestones").write(requests)

    assert [type(result.error) for result in results] == [type(None), RecordRejected, type(None)]
    assert "Missing required value" in results[1].error.message
    assert [row["name"] for row in firm.control.objects("milestones")] == ["Good", "Better"]


def test_a_record_that_was_deleted_there_is_refused_alone(firm: Firm) -> None:
    connector = firm.connect()
    kept = firm.make("companies", name="Kept")
    gone = firm.make("companies", name="Gone")
    firm.control.delete("companies", gone)
    requests = [
        WriteRequest(key="g", external_id=gone, payload=payload("companies", {"name": "Back"})),
        WriteRequest(key="k", external_id=kept, payload=payload("companies", {"name": "Kept 2"})),
    ]

    results = connector.sink("companies").write(requests)

    assert isinstance(results[0].error, RecordRejected)
    assert made(results[1]).data["name"] == "Kept 2"


def test_writing_a_key_again_does_not_undo_what_people_changed(firm: Firm) -> None:
    connector = firm.connect()
    first = made(write(connector, "companies", "c1", {"name": "Initech"}))
    firm.control.update("companies", first.external_id, {"name": "Initech AG"})

    again = made(write(connector, "companies", "c1", {"name": "Initech"}))

    assert (again.external_id, again.data["name"]) == (first.external_id, "Initech AG")


def test_every_canonical_account_field_arrives(firm: Firm) -> None:
    account = {
        "name": "Initech GmbH", "number": "C-100", "email": "ap@initech.example", "phone": "+49 1",
        "website": "initech.example", "tax_id": "DE123456789",
    }  # fmt: skip

    record = made(write(firm.connect(), "companies", "full", account))

    assert mapped("companies", record) == {
        **account, "website": "http://initech.example", "status": "active", "refs": {},
    }  # fmt: skip


def test_opportunities_are_won_lost_and_opened_again_by_buttons(firm: Firm) -> None:
    connector = firm.connect()
    account = company(firm)
    deal = {"name": "Rollout", "stage": "won", "amount": euros(120050)}
    won = made(write(connector, "opportunities", "o1", deal, account=account))
    assert mapped("opportunities", won)["stage"] == "won"

    for stage in ("lost", "won"):
        change = {**deal, "stage": stage}
        changed = made(write(connector, "opportunities", f"o-{stage}", change, external_id=won.external_id))
        assert mapped("opportunities", changed)["stage"] == stage
        assert mapped("opportunities", changed)["refs"] == {"account": account}


def test_projects_and_tasks_close_and_open_again_but_keep_finer_states(firm: Firm) -> None:
    connector = firm.connect()
    at_risk = firm.make("projects", name="Risky", last_update_status="at_risk")
    for status, expected in (("open", "at_risk"), ("closed", "done"), ("open", "on_track"), ("on_hold", "on_hold")):
        record = made(write(connector, "projects", "p", {"name": "Risky", "status": status}, external_id=at_risk))
        assert record.data["last_update_status"] == expected
    task = {"name": "Migrate", "status": "done", "estimate_seconds": 27000}
    closed = made(write(connector, "tasks", "t1", task, project=at_risk))
    assert mapped("tasks", closed) == {**task, "refs": {"project": at_risk}}
    reopened = write(
        connector, "tasks", "t2", {**task, "status": "open"}, external_id=closed.external_id, project=at_risk
    )
    assert mapped("tasks", made(reopened))["status"] == "open"


def test_time_of_an_archived_employee_is_refused(firm: Firm) -> None:
    connector = firm.connect()
    project = firm.make("projects", name="Rollout")
    left = firm.make("employees", name="Gone", active=False)
    entry = {"work_date": "2026-11-20", "duration_seconds": 3600, "status": "approved", "billable": True}

    result = write(connector, "timesheets", "time-1", entry, project=project, resource=left)

    assert isinstance(result.error, RecordRejected)
    assert "active employee" in result.error.message
    assert connector.sink("timesheets").resolve("time-1") is None


def test_an_expense_is_booked_on_its_project(firm: Firm) -> None:
    connector = firm.connect(expense_product="TRAVEL")
    project = firm.make("projects", name="Rollout")
    employee = firm.make("employees", name="Dana")
    expense = {
        "spent_date": "2026-11-20", "amount": {"amount": 5990, "currency": "USD"}, "status": "submitted",
        "billable": True, "description": "Train",
    }  # fmt: skip

    record = made(write(connector, "expenses", "e1", expense, project=project, resource=employee))

    assert mapped("expenses", record) == {
        **expense, "status": "draft", "billable": False, "category": "Travel",
        "refs": {"project": project, "resource": employee},
    }  # fmt: skip


def test_an_invoice_is_posted_exactly(firm: Firm) -> None:
    account = company(firm)
    record = made(write(firm.connect(), "invoices", "i1", INVOICE, account=account))

    shown = mapped("invoices", record)
    assert shown.pop("number").startswith("INV/2026/")
    assert shown == {
        **INVOICE, "amount_paid": euros(0), "amount_due": euros(48750), "refs": {"account": account},
    }  # fmt: skip


def test_tax_is_the_one_that_makes_the_total_and_otherwise_none(firm: Firm) -> None:
    connector = firm.connect()
    account = company(firm)
    taxed = {**INVOICE, "tax": euros(9263), "total": euros(58013)}
    record = made(write(connector, "invoices", "taxed", taxed, account=account))
    assert mapped("invoices", record)["tax"] == euros(9263)
    assert mapped("invoices", record)["total"] == euros(58013)

    odd = {**INVOICE, "tax": euros(3000), "total": euros(51750)}
    refused = write(connector, "invoices", "odd", odd, account=account)
    assert isinstance(refused.error, RecordRejected)
    assert "sales tax of about 6.15 %" in refused.error.message


@pytest.mark.parametrize("total", [48751, 48749])
def test_an_invoice_that_odoo_counts_differently_leaves_nothing(firm: Firm, total: int) -> None:
    connector = firm.connect()
    result = write(connector, "invoices", "off", {**INVOICE, "total": euros(total)}, account=company(firm))

    assert isinstance(result.error, RecordRejected)
    assert result.error.code == "amounts_differ"
    assert firm.control.objects("invoices") == []
    assert connector.sink("invoices").resolve("off") is None


def test_a_crash_before_posting_is_finished_by_resolving_and_a_draft_stays_one(firm: Firm) -> None:
    connector = firm.connect()
    account = company(firm)
    draft = made(write(connector, "invoices", "d1", {**INVOICE, "status": "draft"}, account=account))
    firm.control.faults(
        [{"kind": "timeout_after_commit", "match": {"body": '"invoice_line_ids/name"', "method": "POST"}}]
    )
    with pytest.raises(TransientError):
        write(connector, "invoices", "i1", INVOICE, account=account)
    assert [row["state"] for row in firm.control.objects("invoices")] == ["draft", "draft"]

    sink = firm.connect().sink("invoices")

    assert mapped("invoices", sink.resolve("i1"))["status"] == "open"
    assert mapped("invoices", sink.resolve("d1"))["status"] == "draft"
    assert sink.resolve("d1").external_id == draft.external_id
    assert len(firm.control.objects("account.move.line")) == 2


def test_a_draft_left_behind_with_another_total_is_never_posted(firm: Firm) -> None:
    connector = firm.connect()
    account = company(firm)
    firm.control.faults(
        [{"kind": "timeout_after_commit", "match": {"body": '"invoice_line_ids/name"', "method": "POST"}}]
    )
    with pytest.raises(TransientError):
        write(connector, "invoices", "i1", {**INVOICE, "total": euros(99999)}, account=account)
    assert len(firm.control.objects("invoices")) == 1

    assert firm.connect().sink("invoices").resolve("i1") is None
    assert firm.control.objects("invoices") == []


def test_payments_settle_their_invoice_and_both_are_seen(firm: Firm) -> None:
    connector = firm.connect()
    invoice = made(write(connector, "invoices", "i1", INVOICE, account=company(firm)))
    _, before = read_all(connector, "invoices")
    part = {"amount": euros(10000), "paid_date": "2026-11-25", "reference": "Wire 7"}
    paid = made(write(connector, "payments", "p1", part, invoice=invoice.external_id))

    shown = mapped("payments", paid)
    assert shown == {
        **part, "method": "Bank", "reference": "Wire 7 [sync_ref: p1]", "refs": {"invoice": invoice.external_id},
    }  # fmt: skip
    changed = mapped("invoices", read_all(connector, "invoices", before)[0][invoice.external_id])
    assert (changed["status"], changed["amount_paid"], changed["amount_due"]) == ("open", euros(10000), euros(38750))
    made(write(connector, "payments", "p2", {**part, "amount": euros(38750)}, invoice=invoice.external_id))
    assert mapped("invoices", connector.stream("invoices").get(invoice.external_id))["status"] == "paid"
    too_much = write(connector, "payments", "p3", part, invoice=invoice.external_id)
    assert isinstance(too_much.error, RecordRejected)
    assert "nothing left to pay" in too_much.error.message


def test_a_key_that_begins_like_another_is_another(firm: Firm) -> None:
    connector = firm.connect()
    invoice = made(write(connector, "invoices", "i1", INVOICE, account=company(firm)))
    part = {"amount": euros(100), "paid_date": "2026-11-25"}
    made(write(connector, "payments", "pay_10", part, invoice=invoice.external_id))

    sink = connector.sink("payments")

    assert sink.resolve("pay_1") is None
    assert sink.resolve("pay_10").data["amount"] == 1.0


def test_a_cancelled_payment_is_gone(firm: Firm) -> None:
    connector = firm.connect()
    invoice = made(write(connector, "invoices", "i1", INVOICE, account=company(firm)))
    paid = made(
        write(
            connector, "payments", "p1", {"amount": euros(100), "paid_date": "2026-11-25"}, invoice=invoice.external_id
        )
    )
    assert paid.deleted is False
    firm.control.update("payments", paid.external_id, {"state": "canceled" if firm.version == 19 else "cancel"})

    assert connector.stream("payments").get(paid.external_id).deleted is True


def test_quotes_are_written_with_a_product_and_confirmed(firm: Firm) -> None:
    account = company(firm)
    quote = {"name": "Offer 7", "status": "accepted", "currency": "EUR", "total": euros(48750), "lines": [LINE]}

    refused = write(firm.connect(product=""), "quotes", "q0", quote, account=account)
    record = made(write(firm.connect(), "quotes", "q1", quote, account=account))

    assert isinstance(refused.error, RecordRejected)
    assert refused.error.code == "product"
    shown = mapped("quotes", record)
    assert (shown["number"], shown["status"], shown["total"]) == ("S00001", "accepted", euros(48750))
    assert (shown["name"], shown["lines"], shown["refs"]) == ("Offer 7", [LINE], {"account": account})


def test_an_offer_past_its_day_has_expired(firm: Firm) -> None:
    connector = firm.connect()
    quote = {"name": "Old", "status": "sent", "expiry_date": "2020-01-31", "lines": [LINE]}

    record = made(write(connector, "quotes", "q1", quote, account=company(firm)))

    assert mapped("quotes", record)["status"] == "expired"
    assert record.data["state"] == "sent"
