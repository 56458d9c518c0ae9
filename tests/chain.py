"""A customer whose deals become projects, time, invoices and payments: the shipped templates over given systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.connectors.models import Connection
from apps.connectors.services import create_connection, save_oauth_app
from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.customers.models import Environment
from apps.flows.models import Flow, Integration, IntegrationTemplateVersion
from apps.flows.services import deploy_integration, go_live
from apps.sync.models import SyncRun
from apps.sync.services import run_due_flow, start_run
from sandbox.testing import AccountControl, RunningSandbox
from tests.factories.library import load_library

API_KEY = "good-key-1234567890"
ROLES = {
    "opportunity-to-project": ("crm", "erp", "delivery"),
    "time-to-invoice": ("delivery", "erp", "billing"),
    "payment-status": ("billing", "crm"),
    "two-way-accounts": ("crm", "erp"),
}
INVOICING = {"default_rate": "100.00", "rate_card": "anna@example.com = 120.10", "payment_days": 14}
READS_BY_POST = ("/search", "/search_read", "/batch/read", "/connect/token")


@dataclass(frozen=True, kw_only=True)
class System:
    """What it takes to connect one system."""

    vendor: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]


@dataclass
class Chain:
    actor: Actor
    environment: Environment
    connections: dict[str, Connection] = field(default_factory=dict)
    integrations: dict[str, Integration] = field(default_factory=dict)

    def connect(self, systems: Mapping[str, System], now: datetime) -> None:
        """One connection per system; roles naming the same system share it."""
        load_library()
        made: dict[int, Connection] = {}
        for role, system in systems.items():
            if id(system) not in made:
                made[id(system)] = self._connect(system, now)
            self.connections[role] = made[id(system)]

    def _connect(self, system: System, now: datetime) -> Connection:
        if system.vendor == "xero":
            save_oauth_app(actor=self.actor, now=now, vendor="xero", client_id="app-1", client_secret="app-secret-1")
        return create_connection(
            actor=self.actor, now=now, environment=self.environment, vendor=system.vendor,
            name=system.vendor.title(), settings=system.settings, secrets=system.secrets,
        )  # fmt: skip

    def deploy(self, key: str, now: datetime, settings: Mapping[str, Any] | None = None) -> Integration:
        """Set up from the template and put into service."""
        integration = deploy_integration(
            actor=self.actor, now=now, environment=self.environment, name="", settings=settings or {},
            template_version=IntegrationTemplateVersion.objects.get(template__key=key),
            bindings={role: self.connections[role] for role in ROLES[key]},
        )  # fmt: skip
        self.integrations[key] = go_live(actor=self.actor, now=now, integration=integration)
        return integration

    def flow(self, key: str) -> Flow:
        return Flow.objects.select_related("integration", "environment", "customer", "current_version").get(
            integration=self.integrations[key]
        )

    def run(self, key: str, now: datetime) -> SyncRun:
        """One run as a person asks for it, carried out at `now` as a worker does."""
        with moved_clock(now):
            flow = self.flow(key)
            start_run(actor=self.actor, now=now, flow=flow)
            run = run_due_flow(flow_id=flow.pk, now=now)
        assert run is not None
        return run


@dataclass
class SimulatedSystems:
    """The four simulated systems of one customer, and what its people do there."""

    sandbox: RunningSandbox
    account: str

    def __post_init__(self) -> None:
        self.hubspot, self.tryton, self.redmine, self.xero = (
            self.control(vendor) for vendor in ("hubspot", "tryton", "redmine", "xero")
        )

    def control(self, vendor: str) -> AccountControl:
        control = self.sandbox.control(vendor, self.account)
        if vendor == "xero":
            control.credentials(access_token="at-1", client_id="app-1", client_secret="app-secret-1")
        else:
            control.credentials(api_key=API_KEY)
        return control

    def controls(self) -> dict[str, AccountControl]:
        return {"hubspot": self.hubspot, "tryton": self.tryton, "redmine": self.redmine, "xero": self.xero}

    def system(self, vendor: str, **settings: Any) -> System:
        secrets = {"access_token": "at-1"} if vendor == "xero" else {"api_key": API_KEY}
        settings = {"base_url": self.sandbox.base_url(vendor, self.account), **settings}
        return System(vendor=vendor, settings=settings, secrets=secrets)

    def systems(self) -> dict[str, System]:
        return {
            "crm": self.system("hubspot"), "erp": self.system("tryton"), "billing": self.system("xero"),
            "delivery": self.system("redmine", approval_field="Approved"),
        }  # fmt: skip

    def set_clocks(self, now: datetime) -> None:
        for control in self.controls().values():
            control.clock(now.isoformat())

    def forget_requests(self) -> None:
        for control in self.controls().values():
            control.clear_requests()

    def writes(self) -> list[str]:
        """Calls since `forget_requests` that change something at a vendor."""
        return [
            f"{vendor}: {request['method']} {request['path']} {request['status']}"
            for vendor, control in self.controls().items()
            for request in control.requests()
            if is_write(request["method"], request["path"])
        ]


def is_write(method: str, path: str) -> bool:
    """HubSpot searches and Tryton reads by POST."""
    return method not in ("GET", "HEAD") and not path.endswith(READS_BY_POST)
