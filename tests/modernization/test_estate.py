"""The whole estate as a text: looked at first, carried out as a whole, and the same again changes nothing."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from apps.audit.models import AuditEvent
from apps.flows.services.planning import Detail
from apps.modernization.estate import as_csv, as_yaml
from apps.modernization.models import LegacyInterface, MigrationWave
from apps.modernization.selectors import list_interfaces, list_waves
from apps.modernization.services import UnableToApplyEstate, apply_estate, plan_estate, tick_point

LIST = """Name;Kind;Source;Target;Wave;Monthly count;Depends on;Integration
Customer export;File drop;ERP;CRM;1 · Master data;1,200;;
Nightly invoices;script;ERP;Billing;2 · Money;;Customer export;{integration}
"""
YAML = """kind: modernization
customer: brightwater
waves:
- name: Money
  position: 4
  cut_over_on: '2026-12-01'
interfaces:
- name: Nightly invoices
  kind: script
  source: ERP
  target: Billing
  wave: Money
  depends_on: [Customers]
  checklist: [Tell finance]
- name: Customers
  kind: file_drop
  source: ERP
  target: CRM
"""


def plan(estate, text):
    return plan_estate(actor=estate.actor, now=estate.now, customer=estate.customer, text=text)


def apply(estate, text):
    return apply_estate(actor=estate.actor, now=estate.now, customer=estate.customer, text=text)


def told(plan):
    return [(entry.what, entry.name, entry.action) for entry in plan.entries]


def test_a_list_is_planned_and_nothing_is_done(estate):
    found = plan(estate, LIST.format(integration=estate.integration.name))

    assert told(found) == [
        ("wave", "1 · Master data", "create"), ("wave", "2 · Money", "create"),
        ("interface", "Customer export", "create"), ("interface", "Nightly invoices", "create"),
    ]  # fmt: skip
    assert (found.problems, LegacyInterface.objects.count(), MigrationWave.objects.count()) == ([], 0, 0)
    assert AuditEvent.objects.count() == 0


def test_a_list_is_carried_out_and_the_same_again_changes_nothing(estate):
    text = LIST.format(integration=estate.integration.name)
    apply(estate, text)

    invoices = LegacyInterface.objects.get(name="Nightly invoices")
    assert (invoices.kind, str(invoices.wave), invoices.integration) == ("script", "2 · Money", estate.integration)
    assert [other.name for other in invoices.depends_on.all()] == ["Customer export"]
    assert LegacyInterface.objects.get(name="Customer export").monthly_count == 1200
    assert plan(estate, text).changes == []


def test_a_column_that_is_not_there_changes_nothing(estate):
    interface = estate.interface("Nightly", owner="Marta", notes="=1+1")

    found = apply(estate, "name,frequency\nnightly,hourly\n")

    interface.refresh_from_db()
    assert [entry.details for entry in found.changes] == [[Detail("frequency", "", "hourly")]]
    assert (interface.owner, interface.notes, interface.frequency) == ("Marta", "=1+1", "hourly")


def test_what_is_wrong_is_told_by_line_and_nothing_is_carried_out(estate):
    text = "name,kind,source,target,monthly_count,depends_on\nA,magic,X,Y,1,\nB,script,X,Y,many,\nC,script,,Y,1,\nD,script,X,Y,1,Nobody\n,script,X,Y,1,\nE,script\n"

    found = plan(estate, text)

    assert found.problems == [
        "Line 2, A: Kind: Use one of file_drop, script, point_to_point, middleware, by_hand.",
        "Line 3, B: “many” is no whole number.",
        "Line 4, C: Source: Give one to 120 characters.",
        "Line 5, D: There is no interface “Nobody”.",
        "Line 6, ?: It has no name.",
        "Line 7, E: It has 2 columns, the header 6.",
    ]
    with pytest.raises(UnableToApplyEstate):
        apply(estate, text)
    assert LegacyInterface.objects.count() == 0


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "nothing to read"),
        ("kind,owner\n", "no column “name”"),
        ("name,color\n", "There is no column “color”"),
        ("kind: modernization\ncustomer: northwind\n", "about northwind"),
        ("kind: modernization\ncustomer: brightwater\ninterfaces: [{title: x}]\n", "unknown field"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_in_words(estate, text, words):
    with pytest.raises(UnableToApplyEstate, match=words):
        plan(estate, text)


def test_yaml_brings_waves_and_checklists_and_comes_back_the_same(estate):
    apply(estate, YAML)

    invoices = LegacyInterface.objects.get(name="Nightly invoices")
    assert (invoices.wave.position, invoices.wave.cut_over_on) == (4, date(2026, 12, 1))
    (point,) = invoices.points.all()
    tick_point(actor=estate.actor, now=estate.now, point=point)
    exported = as_yaml(
        estate.customer, list_waves(estate.actor), list_interfaces(estate.actor).prefetch_related("points")
    )
    assert plan(estate, exported).changes == []
    apply(estate, exported.replace("Tell finance", "Tell finance\n  - Ask the auditor"))
    assert [(p.text, p.ticked_at) for p in invoices.points.order_by("id")] == [
        ("Tell finance", estate.now), ("Ask the auditor", None),
    ]  # fmt: skip


def test_what_stands_already_is_read_at_once_however_many_lines_say_it(estate, django_assert_num_queries):
    text = "kind: modernization\ncustomer: brightwater\ninterfaces:\n"
    for number in range(4):
        said = "kind: script, source: ERP, target: CRM, checklist: [Tell finance]"
        text += f"- {{name: File {number}, {said}, depends_on: [{f'File {number - 1}' if number else ''}]}}\n"
        apply(estate, text)

        with django_assert_num_queries(8):
            assert apply(estate, text).changes == []


def test_an_export_runs_nothing_in_a_spreadsheet_and_comes_back_the_same(estate):
    estate.interface(
        "Nightly", notes="=SUM(A1)", way_back="Line one\nline; two", depends_on=(estate.interface("Base"),)
    )

    text = as_csv(list_interfaces(estate.actor))

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["notes"] for row in rows] == ["", "'=SUM(A1)"]
    assert plan(estate, text).changes == []
