"""Old results that could be misread: nothing of them is compared in silence as something that it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from apps.connectors.sdk.declared.files.rows import number
from apps.modernization.comparison import read_cell
from apps.modernization.fields import FieldChoice
from apps.modernization.models import LegacyInterface
from apps.modernization.old_results import UnreadableResult, look_at, read_rows
from apps.modernization.readiness import checks_of
from apps.modernization.services import (
    UnableToApplyEstate,
    UnableToCompare,
    apply_estate,
    bring_result,
    change_interface,
    start_comparison,
)
from tests.factories.delivery import make_flow
from tests.modernization.conftest import counts, findings

REFERENCES = {"No": "number", "Amount": "reference"}
DAYS = {"No": "number", "Amount": "issue_date"}


def test_a_quote_that_is_never_closed_takes_no_row_away_in_silence(estate):
    interface = estate.interface()
    for number_ in "12":
        estate.record("invoice", number=f"I-{number_}", reference="a")

    run = estate.compare(interface, 'No,Amount\nI-1,a\nI-2,"a\nI-3,a\n', columns=REFERENCES)

    assert counts(run) == {"old": 2, "new": 2, "equal": 1, "only_new": 1, "unreadable": 1}
    assert findings(run)[1][1].startswith("A quotation mark opens here and is never closed")


def test_a_day_is_the_one_that_is_written_whatever_its_offset(estate):
    interface = estate.interface()
    estate.record("invoice", number="I-1", issue_date="2026-11-01")

    run = estate.compare(interface, '[{"No":"I-1","Amount":"2026-11-01T00:00:00+02:00"}]', columns=DAYS)

    assert (counts(run), findings(run)) == ({"old": 1, "new": 1, "equal": 1}, [])


def test_what_has_no_day_lies_in_no_period_on_either_side(estate):
    interface = estate.interface()
    estate.record("invoice", number="I-1", issue_date=None)
    estate.record("invoice", number="I-2", issue_date="2026-11-03")
    text = "No,Amount\nI-1,\nI-2,2026-11-03\n"

    cut = {"date_field": "issue_date", "first_day": date(2026, 11, 1), "last_day": date(2026, 11, 30)}
    run = estate.compare(interface, text, columns=DAYS, **cut)
    uncut = estate.compare(interface, text, columns=DAYS)

    assert counts(run) == {"old": 2, "new": 1, "equal": 1, "outside": 1}
    assert counts(uncut) == {"old": 2, "new": 2, "equal": 2}


def test_a_comparison_proves_nothing_about_another_integration(estate):
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    estate.compare(interface, "No,Amount\nI-1,10.00\n")

    def held() -> bool:
        checks = checks_of(LegacyInterface.objects.get(pk=interface.pk), estate.now)
        return next(check.holds for check in checks if check.key == "compared")

    assert held()
    other = make_flow(estate.customer).integration
    change_interface(
        actor=estate.actor, now=estate.now, interface=interface, draft=replace(estate.draft(), integration=other)
    )
    assert not held()


def test_a_column_that_the_file_does_not_have_is_not_compared_as_empty(estate):
    interface = estate.interface()
    with pytest.raises(UnableToCompare, match="no column “Amuont”"):
        estate.compare(interface, "No,Amount\nI-1,10.00\n", columns={"No": "number", "Amuont": "total"})
    with pytest.raises(UnableToCompare, match="no column “x”"):
        estate.compare(interface, '[1, {"No": "1"}]', columns={"No": "number", "x": "total"})


def test_a_header_with_an_empty_name_is_still_a_header():
    found = look_at(b"Invoice No,Total,,\nI-1,5,,\n", "a.csv")

    assert (found.row_count, found.samples["Total"]) == (1, ["5"])
    with pytest.raises(UnreadableResult, match="names “No” twice"):
        look_at(b'[{"No":1,"No":2}]', "a.json")


def test_a_number_of_a_billion_digits_is_not_written_out():
    (row,) = read_rows(b'[{"Amount":1e999999999,"Small":1e-999999999,"Plain":1.50}]', None, is_json=True)  # type: ignore[arg-type]

    assert row.cells == {"Amount": "1E+999999999", "Small": "1E-999999999", "Plain": "1.50"}


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1,234.56", "1,234"], ["1234.56", "1234"]),
        (["1.234,56", "1.234"], ["1234.56", "1234"]),
        (["12,5", "1.234,00"], ["12.5", "1234.00"]),
    ],
)
def test_one_cell_tells_how_the_others_are_written(cells, read):
    text = "No;Amount\n" + "".join(f"I-{place};{cell}\n" for place, cell in enumerate(cells))

    part = look_at(text.encode(), "a.csv").file

    assert [Decimal(number(cell, part)) for cell in cells] == [Decimal(one) for one in read]


def test_nobody_is_shown_a_difference_that_nobody_sees(estate):
    interface = estate.interface()
    estate.record("invoice", number="M\u00fc-1", reference="M\u00fcller")

    run = estate.compare(interface, "No,Amount\nMu\u0308-1,Mu\u0308ller\n", columns=REFERENCES)

    assert counts(run) == {"old": 1, "new": 1, "equal": 1}


def test_times_without_an_offset_are_the_customers_own(estate):
    estate.customer.time_zone = "Europe/Berlin"
    estate.customer.save()
    choice = FieldChoice("x_seen", "Seen", "datetime", "x_seen")

    file = estate.bring(estate.interface(), "No,Amount\nI-1,2026-11-02T00:30:00\n").rules.file

    assert read_cell("2026-11-02T00:30:00", choice, file) == "2026-11-01T23:30:00Z"
    assert read_cell("2026-07-02T00:30:00", choice, file) == "2026-07-01T22:30:00Z"
    assert read_cell("2026-11-02T00:30:00+00:00", choice, file) == "2026-11-02T00:30:00Z"


@pytest.mark.parametrize(
    ("text", "days", "numbers"),
    [
        ("No;D;A\nI-1;03/04/2026;1,234\nI-2;05/06/2026;500\n", ("D",), ("A",)),
        ("No;D;A\nI-1;03/04/2026;1.234\nI-2;13/06/2026;1,50\n", (), ()),
        ("No;D;A\nI-1;03/04/2026 a;1,234 kg\nI-2;;\n", (), ()),
        ("No;D;A\nI-1;;1.250\nI-2;;0.500\n", (), ()),
        ("No;D;A\nI-1;2026-04-03;1234\nI-2;2026-06-05;12345.5\n", (), ()),
    ],
)
def test_what_can_be_read_in_two_ways_is_said_to_be_unclear(text, days, numbers):
    found = look_at(text.encode(), "a.csv")

    assert (found.unclear_days, found.unclear_numbers) == (days, numbers)


def test_one_column_of_days_tells_how_the_others_are_written():
    text = "No;Issued;Due\nI-1;03/04/2026;03/14/2026\nI-2;05/06/2026;05/20/2026\n"

    assert look_at(text.encode(), "a.csv").file.dates == "%m/%d/%Y"


def test_the_same_number_in_another_currency_differs(estate):
    interface = estate.interface()
    for name, currency in (("Pump", "EUR"), ("Valve", "USD")):
        estate.record("opportunity", name=name, amount={"amount": 10000, "currency": currency})

    run = bring_result(
        actor=estate.actor, now=estate.now, interface=interface, name="deals.csv", entity="opportunity",
        content=b"Name,Amount,Currency\nPump,100.00,EUR\nValve,100.00,eur\n",
    )  # fmt: skip
    start_comparison(actor=estate.actor, now=estate.now, run=run, comparison=run.rules)

    assert counts(estate.carry_out(run)) == {"old": 2, "new": 2, "equal": 1, "different": 1}
    assert findings(run) == [("different", "Valve", "amount:currency", "EUR", "USD")]


HEAD = "name,kind,source,target"
YAML = "kind: modernization\ncustomer: brightwater\ninterfaces:\n- {name: A, kind: script, source: x, target: y, checklist: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD},monthly_count\nA,script,x,y,1.5\n", "“1.5” is no whole number"),
        (f"name,{HEAD}\nA,B,script,x,y\n", "two columns “name”"),
        (f"{HEAD}\n{'n' * 121},script,x,y\n", "longer than 120"),
        (f"{HEAD}\nA,script,x,y\na,script,x,z\n", "Another line names it already"),
        (f"{YAML}[{','.join(f'p{n}' for n in range(31))}]}}\n", "at most 30 points"),
    ],
)
def test_a_list_that_could_be_misread_is_refused(estate, text, said):
    with pytest.raises(UnableToApplyEstate, match=said):
        apply_estate(actor=estate.actor, now=estate.now, customer=estate.customer, text=text)


def test_the_same_point_twice_is_one_point_and_no_change_again(estate):
    text = YAML + '[a, "a ", " "]}\n'
    own = {"actor": estate.actor, "now": estate.now, "customer": estate.customer, "text": text}

    assert len(apply_estate(**own).changes) == 1
    assert apply_estate(**own).changes == []
    assert [point.text for point in LegacyInterface.objects.get().points.all()] == ["a"]
