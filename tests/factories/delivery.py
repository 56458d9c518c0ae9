"""Customers and what they own, made with as little as a test needs to say."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from apps.connectors.models import Connection, ConnectionStatus
from apps.customers.models import Customer, Environment, EnvironmentKind, LegalEntity
from apps.flows.models import (
    Flow,
    FlowVersion,
    Integration,
    IntegrationStatus,
    IntegrationTemplate,
    IntegrationTemplateVersion,
    RoleBinding,
)
from apps.sync.models import RunStatus, RunTrigger, SyncRun

START = datetime(2026, 10, 1, 8, tzinfo=UTC)
_numbers = count(1)


def make_customer(name: str = "", **fields: Any) -> Customer:
    """A customer with both environments and its main legal entity."""
    name = name or f"Customer {next(_numbers)}"
    slug = name.lower().replace(" ", "-")
    customer = Customer.objects.create(**{"name": name, "slug": slug, "created_at": START, **fields})
    for kind in EnvironmentKind:
        Environment.objects.create(customer=customer, kind=kind)
    LegalEntity.objects.create(customer=customer, name=name, currency=customer.currency, is_main=True)
    return customer


def production_of(customer: Customer) -> Environment:
    return customer.environments.get(kind=EnvironmentKind.PRODUCTION)


def make_connection(customer: Customer, vendor: str = "hubspot", **fields: Any) -> Connection:
    number = next(_numbers)
    defaults = {
        "vendor": vendor,
        "name": f"{vendor} {number}",
        "status": ConnectionStatus.ACTIVE,
        "account_id": f"account-{number}",
        "webhook_token": f"token-{number}",
        "created_at": START,
        "environment": production_of(customer),
    }
    return Connection.objects.create(customer=customer, **{**defaults, **fields})


def make_flow(customer: Customer, *, definition: dict[str, Any] | None = None, **fields: Any) -> Flow:
    """A live flow of a live integration with a published version."""
    number = next(_numbers)
    template, _ = IntegrationTemplate.objects.get_or_create(key="made-up", defaults={"name": "Made up"})
    version, _ = IntegrationTemplateVersion.objects.get_or_create(
        template=template, number="1.0.0", defaults={"definition": {}, "released_at": START}
    )
    environment = fields.pop("environment", None) or production_of(customer)
    owner = {"customer": customer, "environment": environment}
    integration = Integration.objects.create(
        **owner, template_version=version, name=f"Integration {number}", status=IntegrationStatus.LIVE,
        created_at=START, live_at=START,
    )  # fmt: skip
    for connection in fields.pop("connections", []):
        RoleBinding.objects.create(integration=integration, role=connection.vendor, connection=connection)
    defaults = {"key": f"flow-{number}", "name": f"Flow {number}", "is_enabled": True, "created_at": START}
    flow = Flow.objects.create(**owner, integration=integration, **{**defaults, **fields})
    flow.current_version = FlowVersion.objects.create(
        flow=flow, number=1, published_at=START, published_by_label="Test",
        definition=definition or {"key": flow.key, "name": flow.name, "description": ""},
    )  # fmt: skip
    flow.save()
    return flow


def make_run(flow: Flow, *, at: datetime = START, status: str = RunStatus.SUCCEEDED, **fields: Any) -> SyncRun:
    """A run that started and ended at `at`."""
    defaults = {"trigger": RunTrigger.SCHEDULE, "queued_at": at, "started_at": at, "finished_at": at}
    return SyncRun.objects.create(
        customer=flow.customer, environment=flow.environment, flow=flow, flow_version=flow.current_version,
        status=status, **{**defaults, **fields},
    )  # fmt: skip
