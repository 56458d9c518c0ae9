from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from apps.canonical.models import CanonicalLink, CanonicalRecord, CrossReference
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.customers.models import Customer, Environment
from apps.flows.models import Flow, Integration, RoleBinding
from apps.modernization.comparison import Comparison
from apps.modernization.models import LegacyInterface, ParallelDifference, ParallelRun
from apps.modernization.services import (
    InterfaceDraft,
    add_interface,
    bring_result,
    carry_out_comparison,
    start_comparison,
)
from tests.factories.askers import owner, owner_actor
from tests.factories.delivery import make_connection, make_customer, make_flow, production_of

__all__ = ["owner", "owner_actor"]
_numbers = count(1)


@dataclass
class Estate:
    """A customer with a live integration between two systems, and a pen to write interfaces down."""

    actor: Actor
    now: datetime
    customer: Customer
    environment: Environment
    flow: Flow
    erp: Connection
    billing: Connection

    @property
    def integration(self) -> Integration:
        return self.flow.integration

    def draft(self, name: str = "Nightly invoice file", **fields: Any) -> InterfaceDraft:
        own: dict[str, Any] = {"kind": "file_drop", "source": "ERP", "target": "Billing", "entity": "invoice"}
        return InterfaceDraft(name=name, **{**own, "integration": self.integration, **fields})

    def interface(self, name: str = "Nightly invoice file", **fields: Any) -> LegacyInterface:
        draft = self.draft(name, **fields)
        return add_interface(actor=self.actor, now=self.now, customer=self.customer, draft=draft)

    def invoice(
        self, number: str, total: int, *, systems: tuple[str, ...] = ("erp", "billing"), **data: Any
    ) -> CanonicalRecord:
        own = {"number": number, "status": "open", "currency": "EUR", "total": {"amount": total, "currency": "EUR"}}
        return self.record("invoice", systems=systems, **{**own, **data})

    def record(self, entity: str, *, systems: tuple[str, ...] = ("erp", "billing"), **data: Any) -> CanonicalRecord:
        record = CanonicalRecord.objects.create(
            customer=self.customer, environment=self.environment, entity=entity, data=data, created_at=self.now,
            changed_at=self.now, title=str(data.get("name") or data.get("number") or ""),
        )  # fmt: skip
        for system in systems:
            CrossReference.objects.create(
                record=record,
                connection=getattr(self, system),
                object_name=entity,
                external_id=f"{system}-{next(_numbers)}",
            )
        return record

    def link(self, source: CanonicalRecord, name: str, target: CanonicalRecord) -> None:
        CanonicalLink.objects.create(source=source, name=name, target=target)

    def bring(self, interface: LegacyInterface, text: str, name: str = "invoices.csv") -> ParallelRun:
        return bring_result(
            actor=self.actor, now=self.now, interface=interface, name=name, content=text.encode(), entity="invoice"
        )

    def compare(self, interface: LegacyInterface, text: str, **rules: Any) -> ParallelRun:
        run = self.bring(interface, text)
        asked = {"columns": {"No": "number", "Amount": "total"}, "keys": ["number"], **rules}
        start_comparison(actor=self.actor, now=self.now, run=run, comparison=self.comparison(run, **asked))
        return self.carry_out(run)

    def comparison(self, run: ParallelRun, **rules: Any) -> Comparison:
        return Comparison(**{"file": run.rules.file, "is_json": run.rules.is_json, **rules})

    def carry_out(self, run: ParallelRun) -> ParallelRun:
        carry_out_comparison(run_id=run.pk, now=lambda: self.now)
        return ParallelRun.objects.get(pk=run.pk)


def findings(run: ParallelRun) -> list[tuple[str, str, str, str, str]]:
    rows = ParallelDifference.objects.filter(run=run).order_by("kind", "key", "field", "old", "new")
    return list(rows.values_list("kind", "key", "field", "old", "new"))


def counts(run: ParallelRun) -> dict[str, int]:
    """Those that are not 0."""
    names = (
        "old", "new", "equal", "different", "only_old", "only_new", "twice_old", "twice_new", "unreadable", "outside",
    )  # fmt: skip
    return {name: getattr(run, f"{name}_count") for name in names if getattr(run, f"{name}_count")}


def make_estate(actor: Actor, now: datetime, name: str = "Brightwater") -> Estate:
    customer = make_customer(name, currency="EUR")
    flow = make_flow(customer)
    erp, billing = make_connection(customer, "tryton", name="ERP"), make_connection(customer, "xero", name="Xero")
    for role, connection in (("erp", erp), ("billing", billing)):
        RoleBinding.objects.create(integration=flow.integration, role=role, connection=connection)
    return Estate(actor, now, customer, production_of(customer), flow, erp, billing)


@pytest.fixture
def estate(partner: object, owner_actor: Actor, now: datetime) -> Estate:
    return make_estate(owner_actor, now)
