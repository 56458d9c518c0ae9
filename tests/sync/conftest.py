"""A customer with four fake systems and integrations deployed from the shipped templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from msgspec import structs

from apps.connectors import registry
from apps.connectors.models import Connection
from apps.connectors.services import create_connection
from apps.connectors.services.opening import Limits
from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.customers.models import Customer, Environment, EnvironmentKind
from apps.flows.models import Flow, Integration, IntegrationTemplate, IntegrationTemplateVersion
from apps.flows.services import deploy_integration
from apps.sync.engine import beside, context, waiting, write
from apps.sync.models import RunTrigger, SyncRun
from apps.sync.services import execute_run
from apps.sync.services.runs import queue_run
from sandbox.testing import RunningSandbox, running_sandbox
from tests.factories.kept import kept
from tests.factories.library import load_library
from tests.sync.fake_vendor import CONNECTORS, ERP, VENDORS, connector_type

Deploy = Callable[..., Integration]
ROLES = {
    "opportunity-to-project": ("crm", "erp", "delivery"),
    "time-to-invoice": ("delivery", "erp", "billing"),
    "payment-status": ("billing", "crm"),
    "two-way-accounts": ("crm", "erp"),
    "two-way-projects": ("erp", "delivery"),
    "milestone-billing": ("delivery", "erp", "billing"),
    "expense-to-invoice": ("delivery", "billing"),
    "quote-to-contract": ("crm", "erp", "billing"),
}


@pytest.fixture(autouse=True)
def fake_vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {**registry.connectors(), **CONNECTORS}
    monkeypatch.setattr(registry, "connectors", lambda: known)
    monkeypatch.setattr(waiting, "pause", lambda seconds: None)
    # A vendor's pace has tests of its own; here it would only be waited for.
    monkeypatch.setattr(Limits, "acquire", lambda self: None)
    VENDORS.clear()
    yield
    VENDORS.clear()


def make_environment(now: datetime, slug: str, kind: str = EnvironmentKind.PRODUCTION) -> Environment:
    customer = Customer.objects.create(name=slug.title(), slug=slug, currency="EUR", created_at=now)
    return Environment.objects.create(customer=customer, kind=kind)


@pytest.fixture
def environment(partner: object, now: datetime) -> Environment:
    load_library()
    return kept(
        "environment", lambda: make_environment(now, "northwind"), on=("library",), identify=lambda made: str(made.pk)
    )


@pytest.fixture
def systems(environment: Environment, owner_actor: Actor, now: datetime) -> dict[str, Connection]:
    def connect() -> dict[str, Connection]:
        return {
            role: create_connection(
                actor=owner_actor, now=now, environment=environment, vendor=f"fake_{role}", name=role.upper(),
                settings={"account": role}, secrets={},
            )
            for role in ("crm", "erp", "delivery", "billing")
        }  # fmt: skip

    return kept("systems", connect, on=("library", str(environment.pk)), identify=lambda made: str(made["crm"].pk))


@pytest.fixture
def deploy(environment: Environment, systems: dict[str, Connection], owner_actor: Actor, now: datetime) -> Deploy:
    def make(key: str, settings: dict[str, Any] | None = None, **bindings: Connection) -> Integration:
        return deploy_integration(
            actor=owner_actor, now=now, environment=environment, name="",
            template_version=IntegrationTemplateVersion.objects.get(template__key=key),
            bindings={**{role: systems[role] for role in ROLES[key]}, **bindings}, settings=settings or {},
        )  # fmt: skip

    return make


@pytest.fixture
def deploy_flow(environment: Environment, systems: dict[str, Connection], owner_actor: Actor, now: datetime) -> Deploy:
    """Deploys a template of one flow over CRM, ERP and billing."""

    def deployed(key: str = "tried", **flow: Any) -> Integration:
        definition = {
            "key": key, "version": "1.0.0", "name": key, "summary": "", "documentation": "",
            "roles": {role: {"domain": role, "label": role.upper()} for role in ("crm", "erp", "billing")},
            "flows": [{"key": key, "name": key, "description": "", **flow}],
        }  # fmt: skip
        template = IntegrationTemplate.objects.create(key=key, name=key)
        version = IntegrationTemplateVersion.objects.create(
            template=template, number="1.0.0", definition=definition, released_at=now
        )
        return deploy_integration(
            actor=owner_actor, now=now, environment=environment, name="", template_version=version,
            bindings={role: systems[role] for role in ("crm", "erp", "billing")}, settings={},
        )  # fmt: skip

    return deployed


def flow_of(integration: Integration) -> Flow:
    return Flow.objects.select_related("integration", "environment", "customer", "current_version").get(
        integration=integration
    )


def run_flow(flow: Flow, now: datetime) -> SyncRun:
    with moved_clock(now):
        run = queue_run(flow=flow, trigger=RunTrigger.MANUAL, label="", now=now)
        return execute_run(run_id=run.pk)


def call_beside(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Pages are read ahead, and the ERP takes one record a call and so many calls at once, however quickly it answers."""
    monkeypatch.setattr(beside, "may_call_beside", lambda vendor: True)
    monkeypatch.setattr(context, "calls_at_once", lambda vendor: at_once)
    monkeypatch.setattr(write, "QUICK_SECONDS", 0)
    sinks = tuple(structs.replace(sink, batch_size=1) for sink in ERP.sinks)
    monkeypatch.setitem(registry.connectors(), ERP.key, connector_type(structs.replace(ERP, sinks=sinks)))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running
