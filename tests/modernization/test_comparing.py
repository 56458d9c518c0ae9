"""Old results compared with records, in the background: exact counts, stopped, gone on with after a crash, remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from apps.accounts.models import StaffMembership
from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole
from apps.core.errors import NotPermitted, NotVisible
from apps.dispatch.models import WorkItem
from apps.modernization.models import LegacyInterface, ParallelDifference, ParallelRun
from apps.modernization.selectors import (
    get_parallel_run,
    list_differences,
    list_parallel_runs,
    open_count,
    with_open_counts,
)
from apps.modernization.services import (
    UnableToChangeComparison,
    UnableToCompare,
    accept_findings,
    bring_result,
    carry_out_comparison,
    compare_again,
    comparing,
    start_comparison,
    stop_comparison,
    withdraw_acceptance,
)
from tests.modernization.conftest import counts, findings, make_estate

CSV = "No,Amount\nI-1,10.00\nI-2,20.00\nI-3,30.00\nI-3,30.00\n,5.00\nI-5,abc\nI-6,1,2\n"


def accept(estate, run, **what):
    return accept_findings(actor=estate.actor, now=estate.now, run=run, reason="Rounding", **what)


def test_every_row_and_record_is_held_against_the_other(estate):
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    estate.invoice("i-2", 2100)
    estate.invoice("I-9", 900)
    nameless = estate.record("invoice", status="open", currency="EUR", total={"amount": 5, "currency": "EUR"})
    estate.invoice("I-10", 900, systems=())  # no system of the integration holds it

    run = estate.compare(interface, CSV)

    assert (run.status, run.error, run.done_count, run.total) == ("done", "", 22, 22)
    assert counts(run) == {
        "old": 7, "new": 4, "equal": 1, "different": 1, "only_old": 1, "only_new": 2, "twice_old": 1, "unreadable": 3,
    }  # fmt: skip
    assert findings(run) == [
        ("different", "I-2", "total", "20", "21"),
        ("only_new", "", "", "", "Total: 0.05"),
        ("only_new", "I-9", "", "", "Total: 9"),
        ("only_old", "I-3", "", "Total: 30", ""),
        ("twice_old", "I-3", "", "Total: 30", ""),
        ("unreadable", "The row does not say which record it is", "", "Amount: 5.00", ""),
        ("unreadable", "The row has 3 columns, the header 2", "", "No: I-6 · Amount: 1", ""),
        ("unreadable", "“abc” is no amount in “Amount”", "", "No: I-5 · Amount: abc", ""),
    ]
    assert ParallelDifference.objects.get(kind="only_new", key="").record_id == nameless.pk
    assert LegacyInterface.objects.get(pk=interface.pk).status == "parallel"
    assert not WorkItem.objects.filter(kind=comparing.COMPARISON_KIND).exists()


def test_json_says_the_same_as_csv(estate):
    interface = estate.interface()
    estate.invoice("I-1", 1000)

    run = estate.compare(interface, '{"invoices": [{"No": "I-1", "Amount": 10.0}, {"No": "I-2", "Amount": {"a": 1}}]}')

    assert counts(run) == {"old": 2, "new": 1, "equal": 1, "unreadable": 1}


def test_a_number_without_end_is_a_row_that_cannot_be_read(estate):
    interface = estate.interface()

    run = estate.compare(interface, '[{"No": "I-1", "Amount": 1e999999999}, {"No": "I-2", "Amount": 1e-999999999}]')

    assert counts(run) == {"old": 2, "unreadable": 2}


def test_a_period_cuts_both_sides(estate):
    interface = estate.interface()
    for number, day in (("I-1", "2026-09-30"), ("I-2", "2026-10-01"), ("I-3", "2026-10-31"), ("I-4", "2026-11-01")):
        estate.invoice(number, 1000, issue_date=day)

    text = "No;Amount;Date\nI-1;10,00;30.09.2026\nI-2;10,00;01.10.2026\nI-3;10,00;31.10.2026\n"
    run = estate.compare(
        interface, text, columns={"No": "number", "Amount": "total", "Date": "issue_date"}, date_field="issue_date",
        first_day=date(2026, 10, 1), last_day=date(2026, 10, 31),
    )  # fmt: skip

    assert counts(run) == {"old": 3, "new": 2, "equal": 2, "outside": 1}


def test_rows_are_told_apart_by_ids_and_by_what_records_refer_to(estate):
    interface = estate.interface()
    invoice, account = estate.invoice("I-1", 1000), estate.record("account", name="Harbor")
    estate.link(invoice, "account", account)
    external_id = invoice.cross_references.get(connection=estate.billing).external_id

    token = f"@{estate.billing.pk}"
    text = f"Xero id,Customer,Amount\n{external_id},Harbour,10.00\n"
    run = estate.compare(
        interface, text, columns={"Xero id": token, "Customer": "account.name", "Amount": "total"}, keys=[token]
    )

    assert findings(run) == [("different", external_id, "account.name", "Harbour", "Harbor")]


def test_only_what_one_system_holds_when_that_is_asked_for(estate):
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    estate.invoice("I-2", 1000, systems=("erp",))

    run = estate.compare(interface, "No,Amount\nI-1,10\n", system=str(estate.billing.pk))

    assert counts(run) == {"old": 1, "new": 1, "equal": 1}


def test_the_columns_of_the_last_comparison_are_known_again(estate):
    interface = estate.interface()
    first = estate.bring(interface, "Invoice No,Date,Gross amount,Odd\nI-1,2026-10-01,10.00,x\n")
    assert first.rules.columns == {"Invoice No": "number", "Date": "issue_date", "Gross amount": "total"}
    assert first.rules.keys == ["number"]
    rules = {"columns": {"Odd": "reference", "Invoice No": "number"}, "keys": ["number"], "amount_tolerance": "1"}
    start_comparison(actor=estate.actor, now=estate.now, run=first, comparison=estate.comparison(first, **rules))

    again = estate.bring(interface, "Invoice No,Odd\nI-1,x\n")

    known = again.rules
    assert (known.columns, known.keys, known.amount_tolerance) == (rules["columns"], ["number"], "1")


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "The file is empty."),
        (b"No,Amount\n", "header row only"),
        (b"\x89PNG\x00\x01", "No table was found"),
        (b"[1, 2", "This is not JSON"),
        (b'{"a": 1}', "no list of objects"),
        (",".join(f"c{n}" for n in range(201)).encode() + b"\n1\n", "more than 200 columns"),
        (b"A,B,A\n1,2,3\n", "two columns named “A”"),
        (b"[" * 100_000, "This is not JSON"),
        (json.dumps([{f"c{n}": 1} for n in range(201)]).encode(), "more than 200 columns"),
    ],
)
def test_a_file_that_will_not_do_is_refused_in_words(estate, content, words):
    with pytest.raises(UnableToCompare, match=words) as refused:
        bring_result(actor=estate.actor, now=estate.now, interface=estate.interface(), name="x.csv", content=content)

    assert (refused.value.field, ParallelRun.objects.count()) == ("file", 0)


@pytest.mark.parametrize(
    "rules, field",
    [
        ({"columns": {"No": "gizmo"}, "keys": ["gizmo"]}, "columns"),
        ({"columns": {"No": "number", "Amount": "number"}, "keys": ["number"]}, "columns"),
        ({"columns": {"No": "number"}, "keys": []}, "keys"),
        ({"columns": {"Amount": "total"}, "keys": ["number"]}, "keys"),
        ({"columns": {"No": "number"}, "keys": ["number"], "date_field": "total"}, "date_field"),
        ({"columns": {"No": "number"}, "keys": ["number"], "first_day": date(2026, 1, 1)}, "date_field"),
        ({"columns": {"No": "number"}, "keys": ["number"], "system": "elsewhere"}, "system"),
    ],
)
def test_rules_that_make_no_sense_name_the_input(estate, rules, field):
    run = estate.bring(estate.interface(), "No,Amount\nI-1,10\n")

    with pytest.raises(UnableToCompare) as refused:
        start_comparison(actor=estate.actor, now=estate.now, run=run, comparison=estate.comparison(run, **rules))

    assert (refused.value.field, ParallelRun.objects.get().status) == (field, "draft")


def test_nothing_is_compared_before_something_replaces_it(estate):
    with pytest.raises(UnableToCompare, match="Choose the integration"):
        estate.bring(estate.interface(integration=None), "No,Amount\nI-1,10\n")


def test_a_worker_that_died_is_followed_by_one_that_starts_anew(estate, monkeypatch):
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    keep = comparing._keep

    def die(work, found):
        keep(work, found)
        if found:
            raise SystemExit

    monkeypatch.setattr(comparing, "_keep", die)
    with pytest.raises(SystemExit):
        estate.compare(interface, CSV)
    run = ParallelRun.objects.get()
    assert (run.status, WorkItem.objects.filter(kind=comparing.COMPARISON_KIND).count()) == ("running", 1)
    assert len(findings(run)) == 3
    monkeypatch.setattr(comparing, "_keep", keep)

    done = estate.carry_out(run)

    assert (done.status, done.attempt) == ("done", 2)
    assert counts(done) == {"old": 7, "new": 1, "equal": 1, "only_old": 2, "twice_old": 1, "unreadable": 3}
    assert len(findings(done)) == done.finding_count == 6


def test_one_that_was_overtaken_writes_nothing_more(estate, monkeypatch):
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    spool = comparing._spool_rows

    def overtaken(work, place):
        comparing._claim(work.run.pk, estate.now)
        spool(work, place)

    monkeypatch.setattr(comparing, "_spool_rows", overtaken)
    run = estate.compare(interface, CSV)
    monkeypatch.setattr(comparing, "_spool_rows", spool)

    assert (run.status, run.attempt, findings(run)) == ("running", 2, [])
    done = estate.carry_out(run)
    assert (done.status, done.attempt, len(findings(done))) == ("done", 3, 6)


def test_one_that_is_stopped_stays_so(estate, monkeypatch):
    interface = estate.interface()
    match = comparing._match

    def stopped(work, spool):
        stop_comparison(actor=estate.actor, now=estate.now, run=work.run)
        match(work, spool)

    monkeypatch.setattr(comparing, "_match", stopped)
    run = estate.compare(interface, CSV)

    assert (run.status, run.equal_count) == ("canceled", 0)
    carry_out_comparison(run_id=run.pk, now=lambda: estate.now)
    assert ParallelRun.objects.get().status == "canceled"
    with pytest.raises(UnableToChangeComparison):
        stop_comparison(actor=estate.actor, now=estate.now, run=run)


def test_whoever_may_not_compare_any_more_gets_no_result(estate, owner, monkeypatch):
    interface = estate.interface()
    match = comparing._match

    def left(work, spool):
        StaffMembership.objects.filter(user=owner).update(role="support")
        match(work, spool)

    monkeypatch.setattr(comparing, "_match", left)
    run = estate.compare(interface, CSV)

    assert (run.status, run.error) == ("failed", "Staff owner may not do this any more.")


def test_one_that_breaks_off_again_and_again_is_given_up(estate):
    run = estate.compare(estate.interface(), CSV)
    ParallelRun.objects.filter(pk=run.pk).update(status="running", attempt=comparing.GAVE_UP_AFTER)

    assert estate.carry_out(run).status == "failed"


def test_a_key_that_tells_too_little_apart_is_told(estate):
    rows = "".join(f"I-1,{n}\n" for n in range(300))

    run = estate.compare(estate.interface(), f"No,Amount\n{rows}")

    assert run.status == "failed"
    assert run.error.startswith("“I-1” stands in too many rows")


def test_more_findings_than_are_listed_are_counted_and_stay_open(estate, monkeypatch):
    monkeypatch.setattr(comparing, "LISTED", 3)
    monkeypatch.setattr(comparing, "BATCH", 2)

    run = estate.compare(estate.interface(), "No,Amount\n" + "".join(f"I-{n},1\n" for n in range(5)))

    assert (run.only_old_count, run.finding_count, len(findings(run))) == (5, 5, 3)
    assert accept(estate, run, kind="only_old") == 3
    assert open_count(run) == 2


def test_comparisons_are_listed_with_what_is_open_in_one_question(estate, django_assert_num_queries):
    interface = estate.interface()
    estate.compare(interface, "No,Amount\nI-1,10.00\nI-2,20.00\n")
    newest = estate.compare(interface, "No,Amount\nI-3,10.00\n")
    accept(estate, newest, kind="only_old")

    with django_assert_num_queries(1):
        assert [run.open_count for run in with_open_counts(list_parallel_runs(estate.actor))] == [0, 2]


def test_what_is_accepted_is_remembered_while_both_values_stay(estate):
    interface = estate.interface()
    invoice = estate.invoice("I-1", 1100)
    estate.invoice("I-2", 2100)
    text = "No,Amount\nI-1,10.00\nI-2,20.00\n"
    first = estate.compare(interface, text)
    assert accept(estate, first, kind="different", field="total") == 2
    assert open_count(first) == 0
    invoice.data = {**invoice.data, "total": {"amount": 1200, "currency": "EUR"}}
    invoice.save()

    again = estate.carry_out(compare_again(actor=estate.actor, now=estate.now + timedelta(hours=1), run=first))

    rows = ParallelDifference.objects.filter(run=again).order_by("key")
    assert [(row.key, row.is_remembered, row.accept_reason) for row in rows] == [
        ("I-1", False, ""), ("I-2", True, "Rounding"),
    ]  # fmt: skip
    withdraw_acceptance(actor=estate.actor, now=estate.now, run=again, finding=rows[1])
    assert (open_count(again), open_count(first)) == (2, 1)
    assert accept(estate, again, finding=rows[1]) == 1
    with pytest.raises(UnableToChangeComparison):
        accept(estate, again, finding=rows[1])
    with pytest.raises(UnableToCompare):
        accept_findings(actor=estate.actor, now=estate.now, run=again, reason=" ", kind="different", field="total")


def test_who_may_not_read_or_change_does_neither(estate):
    other = make_estate(estate.actor, estate.now, "Northwind")
    theirs = other.compare(other.interface(), CSV)
    bound = replace(estate.actor, scope=frozenset({estate.customer.pk}))
    viewer = replace(estate.actor, permissions=STAFF_PERMISSIONS[StaffRole.VIEWER])
    finance = replace(estate.actor, permissions=STAFF_PERMISSIONS[StaffRole.FINANCE])

    with pytest.raises(NotVisible):
        get_parallel_run(bound, theirs.pk)
    with pytest.raises(NotVisible):
        accept_findings(actor=bound, now=estate.now, run=theirs, reason="x", kind="only_old")
    assert list(list_differences(bound, theirs)) == []
    with pytest.raises(NotPermitted):
        accept_findings(actor=viewer, now=estate.now, run=theirs, reason="x", kind="only_old")
    with pytest.raises(NotPermitted):
        list_differences(finance, theirs)
