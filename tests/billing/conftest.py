from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.billing.models import BillingAccount, BillingPeriod, LegalEntity, PlanVersion
from apps.billing.services import NewPrice, create_plan, open_account, record_usage, subscribe
from apps.core.actor import Actor
from apps.tenants.models import Partner

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
SUBJECT = "customer:0199aaaa-0000-7000-8000-000000000001"


@pytest.fixture
def issuer(partner: Partner) -> LegalEntity:
    return LegalEntity.objects.create(
        name="Acme Integration GmbH", country="DE", currency="EUR", tax_rate=Decimal(19), invoice_prefix="ACME-",
        is_default=True, address="Hauptstr. 1\n10115 Berlin",
    )  # fmt: skip


@pytest.fixture
def account(issuer: LegalEntity, owner_actor: Actor) -> BillingAccount:
    return open_account(
        actor=owner_actor, now=OCTOBER, subject_key=SUBJECT, legal_name="Brightwater Ltd", currency="EUR",
        time_zone="Europe/Berlin", details={"country": "DE"},
    )  # fmt: skip


@pytest.fixture
def plan(partner: Partner, owner_actor: Actor) -> PlanVersion:
    prices = [
        NewPrice(label="Managed integration", unit_amount=Decimal(49000)),
        NewPrice(label="Records", meter="records_synced", unit_amount=Decimal("1.25"), included_quantity=Decimal(1000)),
    ]
    return create_plan(actor=owner_actor, now=OCTOBER, name="Standard", currency="EUR", prices=prices)


@pytest.fixture
def october(account: BillingAccount, plan: PlanVersion, owner_actor: Actor) -> BillingPeriod:
    subscription = subscribe(actor=owner_actor, now=OCTOBER, account=account, plan_version=plan)
    return subscription.periods.get()


def use(quantity: int, *, key: str, at: datetime = OCTOBER, subject_key: str = SUBJECT) -> bool:
    return record_usage(
        subject_key=subject_key, meter="records_synced", quantity=quantity, key=key, occurred_at=at, now=at
    )
