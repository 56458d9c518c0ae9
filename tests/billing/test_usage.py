from __future__ import annotations

from decimal import Decimal

import pytest

from apps.billing.models import UsageEvent
from apps.billing.services import UsageEntry, record_usages
from tests.billing.conftest import NOVEMBER, OCTOBER, SUBJECT


def entry(key: str, quantity: str = "2.5", meter: str = "records_synced") -> UsageEntry:
    return UsageEntry(key=key, subject_key=SUBJECT, meter=meter, quantity=Decimal(quantity), occurred_at=OCTOBER)


@pytest.mark.django_db
def test_a_batch_is_recorded_once_per_key(partner):
    assert record_usages(entries=[entry("a"), entry("b")], now=NOVEMBER) == 2
    assert record_usages(entries=[entry("b", "9"), entry("c")], now=NOVEMBER) == 1

    found = UsageEvent.objects.order_by("key").values_list("key", "quantity", "occurred_at", "recorded_at")
    assert list(found) == [(key, Decimal("2.5"), OCTOBER, NOVEMBER) for key in "abc"]


@pytest.mark.django_db
def test_a_batch_with_a_negative_quantity_records_nothing(partner):
    with pytest.raises(ValueError, match="never negative"):
        record_usages(entries=[entry("a"), entry("b", "-1")], now=NOVEMBER)

    assert UsageEvent.objects.count() == 0
