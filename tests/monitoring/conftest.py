from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from apps.canonical.models import CanonicalChange, CanonicalLink, CanonicalRecord, CrossReference
from apps.connectors.models import Connection
from apps.customers.models import Customer, Environment
from apps.monitoring.models import BusinessException, ExceptionRule
from apps.monitoring.services import evaluate_environment
from tests.factories.delivery import make_connection, make_customer, production_of

_numbers = count(1)


@dataclass
class Books:
    """A customer's records, made by hand."""

    customer: Customer
    environment: Environment
    connection: Connection
    now: datetime

    def record(self, entity: str, *, days_ago: float = 30, **data: Any) -> CanonicalRecord:
        """Known for so many days, in its state since then."""
        at = self.now - timedelta(days=days_ago)
        number = next(_numbers)
        record = CanonicalRecord.objects.create(
            customer=self.customer, environment=self.environment, entity=entity, title=data.get("name", f"{entity} {number}"),
            data=data, state=str(data.get("status") or data.get("stage") or ""), created_at=at, changed_at=at,
        )  # fmt: skip
        CrossReference.objects.create(
            record=record, connection=self.connection, object_name=entity, external_id=str(number), seen=data
        )
        self.changed(record, {name: [None, value] for name, value in data.items()}, at)
        return record

    def change(self, record: CanonicalRecord, **data: Any) -> None:
        before = {name: record.data.get(name) for name in data}
        record.data = {**record.data, **data}
        record.version += 1
        record.save()
        self.changed(record, {name: [before[name], value] for name, value in data.items()}, self.now)

    def link(self, source: CanonicalRecord, name: str, target: CanonicalRecord) -> None:
        CanonicalLink.objects.create(source=source, name=name, target=target)
        source.version += 1
        source.save()
        self.changed(source, {name: [None, str(target.pk)]}, self.now)

    def unlink(self, source: CanonicalRecord, name: str) -> None:
        link = CanonicalLink.objects.get(source=source, name=name)
        source.version += 1
        source.save()
        self.changed(source, {name: [str(link.target_id), None]}, self.now)
        link.delete()

    def changed(self, record: CanonicalRecord, fields: dict[str, Any], at: datetime) -> None:
        CanonicalChange.objects.create(
            record=record, environment_id=self.environment.pk, entity=record.entity, version=record.version, at=at,
            source_kind="connection", fields=fields,
        )  # fmt: skip

    def evaluate(self, *, after: timedelta = timedelta(0)) -> int:
        return evaluate_environment(environment_id=self.environment.pk, now=self.now + after)

    def open_titles(self, rule: str) -> list[str]:
        found = BusinessException.objects.filter(rule__key=rule, environment=self.environment, status="open")
        return sorted(found.values_list("title", flat=True))

    def only(self, *keys: str) -> None:
        """Leave the other rules aside."""
        from apps.monitoring.services.rules import ensure_rules

        ensure_rules(self.now)
        ExceptionRule.objects.exclude(key__in=keys).update(is_enabled=False)


def make_books(name: str, now: datetime) -> Books:
    customer = make_customer(name, currency="EUR")
    return Books(customer, production_of(customer), make_connection(customer), now)


@pytest.fixture
def books(partner: object, now: datetime) -> Books:
    return make_books("Brightwater", now)


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}
