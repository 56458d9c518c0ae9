"""A customer as the portal meets it, with something on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.billing.models import BillingAccount, LegalEntity, Subscription
from apps.billing.services import NewPrice, create_plan, open_account, subscribe
from apps.billing.services.subscriptions import open_period
from apps.connectors.models import Connection
from apps.core.actor import system_actor
from apps.core.ids import uuid7
from apps.customers.models import Customer
from apps.flows.models import Flow, IntegrationTemplateVersion
from apps.flows.services import deploy_integration, go_live
from apps.sla.services import assign_policy, create_policy
from apps.sync.models import (
    ErrorClass,
    RecordAction,
    RecordFailure,
    RecordLog,
    RecordPayload,
    RunStatus,
    RunStep,
    SyncRun,
    VendorCall,
)
from tests.factories.delivery import make_connection, make_customer, make_run, production_of

SYSTEM = system_actor()


@dataclass
class Scene:
    customer: Customer
    connections: dict[str, Connection]
    flow: Flow
    run: SyncRun
    failures: list[RecordFailure]
    account: BillingAccount
    subscription: Subscription

    @property
    def failure(self) -> RecordFailure:
        return self.failures[0]


def make_scene(now: datetime, name: str = "Northwind Advisory") -> Scene:
    customer = make_customer(name)
    connections = {
        role: make_connection(
            customer,
            vendor,
            name=f"{vendor.title()} of {name}",
            account_name=f"{name} {role}",
            settings={"base_url": "http://127.0.0.1:9"},
        )
        for role, vendor in (("crm", "hubspot"), ("erp", "tryton"), ("delivery", "redmine"))
    }
    flow = deploy(customer, connections, now)
    run = make_run(
        flow, at=now - timedelta(minutes=5), status=RunStatus.PARTIAL, read_count=12, created_count=3, updated_count=2,
        failed_count=1, finished_at=now - timedelta(minutes=4),
    )  # fmt: skip
    Flow.objects.filter(pk=flow.pk).update(in_step_until=now - timedelta(minutes=5))
    describe_run(run, connections["erp"], now)
    failures = [make_failure(run, connections["erp"], now, number) for number in range(2)]
    version = create_policy(
        actor=SYSTEM, now=now - timedelta(days=60), name=f"Gold for {name}",
        objectives=[{"key": "run_success", "target": "99"}, {"key": "freshness", "target": "95", "threshold_seconds": 900}],
    )  # fmt: skip
    assign_policy(actor=SYSTEM, now=now - timedelta(days=45), customer=customer, policy_version=version)
    account, subscription = bill(customer, now)
    return Scene(customer, connections, flow, run, failures, account, subscription)


def deploy(customer: Customer, connections: dict[str, Connection], now: datetime) -> Flow:
    integration = deploy_integration(
        actor=SYSTEM, now=now - timedelta(days=40), environment=production_of(customer),
        template_version=IntegrationTemplateVersion.objects.get(template__key="opportunity-to-project"), name="",
        bindings=connections, settings={},
    )  # fmt: skip
    go_live(actor=SYSTEM, now=now - timedelta(days=40), integration=integration)
    return Flow.objects.select_related("integration", "current_version", "customer", "environment").get(
        integration=integration
    )


def describe_run(run: SyncRun, connection: Connection, now: datetime) -> None:
    owned: dict[str, Any] = {
        "at": now, "run_id": run.pk, "customer_id": run.customer_id, "environment_id": run.environment_id,
        "flow_id": run.flow_id, "connection_id": connection.pk,
    }  # fmt: skip
    RunStep.objects.create(
        run=run, position=1, label="Read deals", status=RunStatus.SUCCEEDED, started_at=now, counts={"read": 12}
    )
    log = RecordLog.objects.create(
        **owned, direction="write", object_name="projects", entity="project", action=RecordAction.UPDATED,
        external_id="77", title="Claims platform", changed_fields=["name"], latency_ms=42_000,
    )  # fmt: skip
    RecordPayload.objects.create(log=log, diff={"name": ["Claims", "Claims platform"]}, at=now)
    VendorCall.objects.create(**owned, method="POST", path="/model/project.work", status=201, duration_ms=120)


def make_failure(run: SyncRun, connection: Connection, now: datetime, number: int, **fields: Any) -> RecordFailure:
    defaults: dict[str, Any] = {
        "external_id": "", "record_id": uuid7(), "record_title": f"Project {number}", "error_class": ErrorClass.VALIDATION,
        "message": "Party is required", "fingerprint": "f00d" * 8, "first_at": now, "last_at": now,
        "payload": {"name": f"Project {number}"},
    }  # fmt: skip
    return RecordFailure.objects.create(
        customer=run.customer, environment=run.environment, flow=run.flow, connection=connection, run_id=run.pk,
        direction="write", object_name="projects", **{**defaults, **fields},
    )  # fmt: skip


def bill(customer: Customer, now: datetime) -> tuple[BillingAccount, Subscription]:
    if not LegalEntity.objects.filter(is_default=True).exists():
        LegalEntity.objects.create(
            name="Acme GmbH", country="DE", currency="EUR", tax_rate=Decimal(19), invoice_prefix="AC-", is_default=True
        )
    account = open_account(
        actor=SYSTEM, now=now, subject_key=customer.subject_key, legal_name=customer.name, currency="EUR",
        email="billing@northwind.example", details={"country": "DE"},
    )  # fmt: skip
    prices = [
        NewPrice(label="Managed service", unit_amount=Decimal(149000)),
        NewPrice(label="Records", unit_amount=Decimal("0.45"), meter="records_synced", included_quantity=Decimal(1000)),
    ]
    version = create_plan(actor=SYSTEM, now=now, name=f"Growth {customer.slug}", currency="EUR", prices=prices)
    subscription = subscribe(actor=SYSTEM, now=now - timedelta(days=40), account=account, plan_version=version)
    open_period(subscription=subscription, instant=now)
    return account, subscription
