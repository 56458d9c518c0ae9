"""The billing overview, the calculator, and the way from a line to its runs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.billing.services import issue_invoice, record_usage
from apps.billing.services.subscriptions import open_period
from tests.factories.invoices import draft_invoice
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import SYSTEM, Scene, make_scene
from tests.functional.partner.test_billing_actions import OCTOBER, TOTAL
from tests.functional.partner.test_plan_actions import FLAT, METERED, prices


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


@pytest.fixture
def metered(scene: Scene, now: datetime) -> object:
    """October's invoice, over usage of the scene's run."""
    record_usage(
        subject_key=scene.customer.subject_key, meter="records_synced", quantity=Decimal(1500),
        key=f"{scene.run.pk}:page:records_synced", occurred_at=OCTOBER, now=OCTOBER,
    )  # fmt: skip
    draft = draft_invoice(period=open_period(subscription=scene.subscription, instant=OCTOBER), now=now)
    return issue_invoice(actor=SYSTEM, now=now, invoice=draft).pk


def test_the_overview_says_what_recurs_what_was_invoiced_and_who_owes(
    owner: Client, scene: Scene, metered: object
) -> None:
    context = owner.get(address("billing")).context

    assert [(tile["label"], str(tile["value"])) for tile in context["tiles"]] == [
        ("Monthly recurring revenue", "€1,490.00"), ("Collected", "€0.00"), ("Outstanding", "€1,775.78"),
    ]  # fmt: skip
    assert [(series.name, series.values[-1]) for series in context["charts"][0].series] == [
        ("Recurring", 1490.0), ("Usage", 2.25),
    ]  # fmt: skip
    steps = context["movements"]["EUR"]
    assert [(step.month.month, step.movement.opening, step.movement.new, step.movement.closing) for step in steps] == [
        (11, 149_000, 0, 149_000), (10, 149_000, 0, 149_000), (9, 0, 149_000, 149_000),
    ]  # fmt: skip
    assert [(debt.account_name, debt.amounts) for debt, _ in context["debts"]] == [
        ("Northwind Advisory", (TOTAL, 0, 0, 0, 0))
    ]


def test_an_overview_without_anything_says_how_to_begin(owner: Client, partner: object) -> None:
    assert b"Nothing sold yet" in owner.get(address("billing")).content


def test_the_overview_asks_as_much_for_many_customers(
    owner: Client, scene: Scene, now: datetime, django_assert_max_num_queries: object
) -> None:
    for number in range(3):
        make_scene(now, f"Customer {number}")

    with django_assert_max_num_queries(19):  # type: ignore[operator]
        response = owner.get(address("billing"))

    assert response.context["tiles"][0]["foot"] == "Unchanged this month · 4 customers"


def test_a_line_leads_to_the_run(owner: Client, scene: Scene, metered: object) -> None:
    page = owner.get(address("line_usage", metered, 2))

    rows = page.context["table"].rows
    assert [(row.url, [str(cell.value) for cell in row.cells[2:]]) for row in rows] == [
        (address("run", scene.run.pk), ["1500.000", "1000.000", "500.000", "€2.25"])
    ]
    assert address("line_usage", metered, 2) in owner.get(address("invoice", metered)).content.decode()


def test_finance_sees_the_runs_by_name_and_opens_none(sign_in: SignIn, scene: Scene, metered: object) -> None:
    rows = sign_in("finance").get(address("line_usage", metered, 2)).context["table"].rows

    assert [row.url for row in rows] == [""]
    assert scene.flow.name in str(rows[0].cells[0].value)


@pytest.mark.parametrize("position", [1, 3])
def test_a_flat_or_missing_line_has_no_usage(owner: Client, metered: object, position: int) -> None:
    assert owner.get(address("line_usage", metered, position)).status_code == 404


def calculate(*rows: dict[str, str], used: str = "3000", currency: str = "EUR") -> dict[str, str]:
    return {"currency": currency, **prices(*rows), "use-records_synced": used, "use-flow_runs": ""}


def test_a_month_is_calculated_by_the_code_that_invoices(owner: Client, partner: object) -> None:
    context = owner.post(address("plan_calculate"), calculate(FLAT, METERED)).context

    # 1,999.5 records over the allowance at 0.4505 cents are 900.77 cents.
    assert [line.amount for line in context["rated"].lines] == [149_050, 901]
    assert context["rated"].subtotal_amount == 149_951


@pytest.mark.parametrize(
    "data",
    [calculate(FLAT, used="-1"), calculate(FLAT, used="many"), calculate({**FLAT, "unit_price": "x"}), calculate(FLAT, currency="XXX")],
)  # fmt: skip
def test_what_does_not_fit_is_not_calculated(owner: Client, partner: object, data: dict[str, str]) -> None:
    response = owner.post(address("plan_calculate"), data)

    assert "rated" not in response.context
    assert b"Check the prices" in response.content


def test_who_sets_no_prices_calculates_none(viewer: Client, partner: object) -> None:
    assert viewer.post(address("plan_calculate"), calculate(FLAT)).status_code == 403
