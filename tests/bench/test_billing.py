"""Usage taken in exactly once, and a month's invoices drafted and issued (their documents are rendered apart)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from apps.billing.models import BillingPeriod, Invoice, LegalEntity, PlanVersion, UsageCharge, UsageEvent
from apps.billing.services import (
    NewPrice,
    UsageEntry,
    close_periods,
    create_plan,
    issue_invoices,
    open_account,
    record_usages,
    subscribe,
)
from apps.core.actor import Actor
from apps.core.bulk import execute, json_text
from apps.core.ids import uuid7
from apps.tenants.models import Partner
from tests.bench.measures import Measures

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

OCTOBER, NOVEMBER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
EVENTS, BATCH, ACCOUNTS, EVENTS_EACH = 40_000, 100, 150, 20
_BARE = """
INSERT INTO bare_usage SELECT * FROM jsonb_to_recordset(%s::jsonb) AS new(
    key text, subject_key text, meter text, quantity numeric, occurred_at timestamptz)
ON CONFLICT DO NOTHING
"""


def batches(prefix: str) -> list[list[UsageEntry]]:
    return [
        [
            UsageEntry(
                key=f"{prefix}:{start + n}", subject_key=f"customer:{n % 50}", meter="records_synced",
                quantity=Decimal(7), occurred_at=OCTOBER,
            )
            for n in range(BATCH)
        ]
        for start in range(0, EVENTS, BATCH)
    ]  # fmt: skip


def test_usage_is_taken_in_exactly_once(committed: Partner, measures: Measures) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare_usage")
        cursor.execute(
            "CREATE TABLE bare_usage (key text PRIMARY KEY, subject_key text, meter text, quantity numeric, occurred_at timestamptz)"
        )
    plain = [
        [
            {"key": e.key, "subject_key": e.subject_key, "meter": e.meter, "quantity": 7, "occurred_at": OCTOBER}
            for e in batch
        ]
        for batch in batches("bare")
    ]
    started = time.perf_counter()
    for rows in plain:
        execute(_BARE, [json_text(rows)])
    limit = EVENTS / (time.perf_counter() - started)

    given = batches("bench")
    started = time.perf_counter()
    taken = sum(record_usages(entries=batch, now=NOVEMBER) for batch in given)
    rate = EVENTS / (time.perf_counter() - started)
    again = sum(record_usages(entries=batch, now=NOVEMBER) for batch in given[:20])

    assert (taken, again, UsageEvent.objects.filter(key__startswith="bench:").count()) == (EVENTS, 0, EVENTS)
    measures.rate("usage events ingested", rate, "events/s", limit=limit, least=25_000)


@pytest.fixture
def periods(committed: Partner, owner_actor: Actor) -> list[BillingPeriod]:
    """October of many accounts, each with a subscription and metered usage."""
    LegalEntity.objects.get_or_create(
        is_default=True,
        defaults={"name": "Bench GmbH", "country": "DE", "currency": "EUR", "tax_rate": Decimal(19), "invoice_prefix": "B-"},
    )  # fmt: skip
    prices = [
        NewPrice(label="Managed integration", unit_amount=Decimal(49_000)),
        NewPrice(label="Records", meter="records_synced", unit_amount=Decimal("1.25"), included_quantity=Decimal(10)),
    ]
    plan = create_plan(actor=owner_actor, now=OCTOBER, name="Bench", currency="EUR", prices=prices)
    return [make_period(number, plan, owner_actor) for number in range(ACCOUNTS)]


def make_period(number: int, plan: PlanVersion, actor: Actor) -> BillingPeriod:
    subject = f"customer:{uuid7()}"
    account = open_account(
        actor=actor, now=OCTOBER, subject_key=subject, legal_name=f"Account {number}", currency="EUR",
        time_zone="Europe/Berlin", email=f"billing@a{number}.example", details={"country": "DE"},
    )  # fmt: skip
    entries = [
        UsageEntry(
            key=f"{subject}:{n}", subject_key=subject, meter="records_synced", quantity=Decimal(7), occurred_at=OCTOBER
        )
        for n in range(EVENTS_EACH)
    ]
    record_usages(entries=entries, now=OCTOBER)
    return subscribe(actor=actor, now=OCTOBER, account=account, plan_version=plan).periods.get()


def test_an_invoice_run(periods: list[BillingPeriod], owner_actor: Actor, measures: Measures) -> None:
    started = time.perf_counter()
    drafts = close_periods(period_ids=[period.pk for period in periods], now=NOVEMBER)
    issue_invoices(actor=owner_actor, now=NOVEMBER, invoices=drafts)
    rate = len(periods) / (time.perf_counter() - started)
    limit = bare_commits(len(periods))

    issued = Invoice.objects.filter(period__in=periods, status="open")
    # 49,000 and 130 records at 1.25 are 49,162.5, each line rounded half up; with 19 % tax.
    assert (issued.count(), set(issued.values_list("total_amount", flat=True))) == (ACCOUNTS, {expected_total()})
    assert UsageCharge.objects.filter(line__invoice__in=issued).count() == ACCOUNTS * EVENTS_EACH
    measures.rate("invoice run, documents rendered apart", rate, "invoices/s", limit=limit, least=100)


def expected_total() -> int:
    net = 49_000 + 163
    return net + int(Decimal(net) * Decimal("0.19") + Decimal("0.5"))


def bare_commits(count: int) -> float:
    """As many pairs of transactions with one row each."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare_invoice")
        cursor.execute("CREATE TABLE bare_invoice (id uuid PRIMARY KEY, data jsonb NOT NULL)")
        started = time.perf_counter()
        values: dict[str, Any] = {"lines": 2}
        for _ in range(2 * count):
            cursor.execute("INSERT INTO bare_invoice VALUES (%s, %s)", [uuid7(), json_text(values)])
    return count / (time.perf_counter() - started)
