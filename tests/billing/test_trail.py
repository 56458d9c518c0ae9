"""Every cent of a metered line leads back to the runs that made it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.billing.models import BillingPeriod
from apps.billing.services import issue_invoice
from apps.billing.trail import TrailStep, UsedBySource, spread, trace_line
from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.core.money import round_half_up
from tests.billing.conftest import OCTOBER, use
from tests.factories.invoices import draft_invoice

AFTER = datetime(2026, 11, 1, 1, tzinfo=UTC)
RUNS = [uuid7(), uuid7(), uuid7()]


def used(period: BillingPeriod) -> None:
    """Three runs, the first with two pages; 2,000 records, of which 1,000 are included."""
    for key, quantity, hours in ((f"{RUNS[0]}:a", 300, 1), (f"{RUNS[0]}:b", 200, 9), (f"{RUNS[1]}:a", 700, 2)):
        use(quantity, key=f"{key}:records_synced", at=OCTOBER + timedelta(hours=hours))
    use(799, key=f"{RUNS[2]}:a:records_synced", at=OCTOBER + timedelta(hours=3))
    use(1, key="correction:by hand", at=OCTOBER + timedelta(hours=4))


def figures(steps: list[TrailStep]) -> list[tuple[object, int, int, int, Decimal]]:
    return [(s.run_id or s.source, int(s.quantity), int(s.free), int(s.charged), s.amount) for s in steps]


EXPECTED = [
    (RUNS[0], 500, 500, 0, Decimal(0)),
    (RUNS[1], 700, 500, 200, Decimal(250)),
    (RUNS[2], 799, 0, 799, Decimal("998.75")),
    ("correction", 1, 0, 1, Decimal("1.25")),
]


def test_a_line_leads_to_its_runs_in_the_order_of_use(october: BillingPeriod, owner_actor: Actor) -> None:
    used(october)
    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft_invoice(period=october, now=AFTER))
    line = invoice.lines.get(meter="records_synced")

    assert figures(trace_line(line)) == EXPECTED
    assert sum(step.amount for step in trace_line(line)) == line.amount == 1250


def test_a_draft_shows_what_it_would_charge(october: BillingPeriod) -> None:
    used(october)
    line = draft_invoice(period=october, now=OCTOBER + timedelta(days=1)).lines.get(meter="records_synced")

    assert figures(trace_line(line)) == EXPECTED


def test_late_usage_stays_out_of_an_issued_line(october: BillingPeriod, owner_actor: Actor) -> None:
    used(october)
    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft_invoice(period=october, now=AFTER))
    use(5, key=f"{RUNS[1]}:late:records_synced", at=OCTOBER + timedelta(hours=5))

    assert figures(trace_line(invoice.lines.get(meter="records_synced"))) == EXPECTED


QUANTITIES = st.lists(st.decimals(0, 10_000, places=3), max_size=12)


@given(quantities=QUANTITIES, included=st.decimals(0, 30_000, places=3), price=st.decimals(0, 100, places=6))
def test_shares_add_up_to_the_line(quantities: list[Decimal], included: Decimal, price: Decimal) -> None:
    sources = [UsedBySource(str(number), OCTOBER, quantity) for number, quantity in enumerate(quantities)]
    total = sum(quantities, Decimal(0))

    steps = spread(sources, min(included, total), price)

    charged = max(Decimal(0), total - included)
    assert [step.free + step.charged for step in steps] == quantities
    assert sum((step.charged for step in steps), Decimal(0)) == charged
    assert round_half_up(sum((step.amount for step in steps), Decimal(0))) == round_half_up(charged * price)
    assert all(step.free >= 0 and step.charged >= 0 for step in steps)
