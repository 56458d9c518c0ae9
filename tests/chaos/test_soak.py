"""The whole platform for a while under random faults and kills, then its vendors' data against a model.

Two customers: one whose companies are the same in CRM and ERP and keep being renamed, one whose won deals become projects
and boards. Their people work on while calls to the vendors go wrong in every way, webhooks come twice, late and out of
order, and processes, database sessions and the broker are killed. Then it is quiet, the flows come to rest, and: nothing
is lost, nothing stands twice, and no record was ever written with an older name after a newer one.

`CHAOS_SECONDS` of trouble (20), from `CHAOS_SEED`: the same seed brings the same deeds, faults and blows in the same order.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db import connection

from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole
from apps.connectors.models import Connection, OAuthApp
from apps.connectors.services import save_oauth_app
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.planes import public_plane, tenant_plane
from apps.customers.models import Environment, EnvironmentKind
from apps.customers.services import create_customer
from apps.dispatch.models import WorkItem
from apps.dispatch.services import schedule
from apps.flows.models import Flow
from apps.provisioning.schema_template import create_schema_from_template
from apps.sync.models import RecordFailure, SyncRun, WriteIntent
from apps.tenants.models import Domain, Partner, PartnerStatus
from sandbox.testing import AccountControl, RunningSandbox
from tests.chain import Chain, SimulatedSystems, System
from tests.chaos.attack import Platform, running_platform
from tests.chaos.conftest import SOAKED
from tests.faults.proxy import FAULTS, WEBHOOK_FAULTS, FaultProxy, running_proxy

pytestmark = [pytest.mark.chaos, pytest.mark.django_db, pytest.mark.enable_socket]

SCHEMA, HOST, SECRET = "p_soak", "soak.localhost", "hook-secret-abcdef"
SEED = int(os.environ.get("CHAOS_SEED", "20261123"))
SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
# Afterwards something must move at least so often (leases of the dead have to end), and all must be done in time.
MOVES_WITHIN, SETTLES_WITHIN = 60, 90 + 2 * SECONDS
FAULT_SHARE, STORM_SHARE, STORM_CALLS, WEBHOOK_SHARE = 0.2, 0.01, 12, 0.4
_VERSION = re.compile(rb"(Firm \d+) v(\d+)")


class Trouble:
    """The script of the proxies: faults by chance, and storms that strike every call for a while."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.storm = 0
        self.is_over = False

    def of_calls(self, method: str, path: str, body: bytes) -> str | None:
        if self.is_over:
            return None
        if self.storm:
            self.storm -= 1
            return "down"
        draw = self.chance.random()
        if draw < STORM_SHARE:
            self.storm = STORM_CALLS
            return "down"
        return self.chance.choice(FAULTS) if draw < FAULT_SHARE + STORM_SHARE else None

    def of_webhooks(self, method: str, path: str, body: bytes) -> str | None:
        if self.is_over or self.chance.random() > WEBHOOK_SHARE:
            return None
        return self.chance.choice(WEBHOOK_FAULTS)


class People:
    """What the customers' people do, and what each system must hold in the end."""

    def __init__(self, crm: AccountControl, sales: AccountControl, chance: random.Random) -> None:
        self.crm, self.sales, self.chance = crm, sales, chance
        self.firms: list[tuple[str, int]] = []  # (CRM id, version of its name)
        self.deals = 0

    def act(self) -> None:
        draw = self.chance.random()
        if not self.firms or draw < 0.25:
            number = len(self.firms)
            made = self.crm.create("companies", {"name": f"Firm {number} v0", "domain": f"firm{number}.example"})
            self.firms.append((made["id"], 0))
        elif draw < 0.75:
            number = self.chance.randrange(len(self.firms))
            key, version = self.firms[number]
            self.crm.update("companies", key, {"name": f"Firm {number} v{version + 1}"})
            self.firms[number] = (key, version + 1)
        else:
            self.win()

    def win(self) -> None:
        number = self.deals
        [company] = self.sales.create("companies", [{"name": f"Buyer {number}", "domain": f"buyer{number}.example"}])
        deal = {"dealname": f"Deal {number}", "amount": "5000.00", "dealstage": "closedwon"}
        self.sales.create("deals", {**deal, "associations": {"companies": [company["id"]]}})
        self.deals += 1

    @property
    def names(self) -> list[str]:
        return sorted(f"Firm {number} v{version}" for number, (_, version) in enumerate(self.firms))


class Soak:
    def __init__(self, proxy: FaultProxy, sandbox: RunningSandbox) -> None:
        self.proxy = proxy
        self.accounts = SimulatedSystems(sandbox, "soak1")
        self.sales = SimulatedSystems(sandbox, "soak2")
        role = StaffRole.OWNER
        self.actor = Actor(ActorKind.USER, "owner", "Olive Owner", STAFF_PERMISSIONS[role], scope=None)

    def set_up(self) -> None:
        for vendors, key in ((self.accounts, "two-way-accounts"), (self.sales, "opportunity-to-project")):
            now = clock.now()
            customer = create_customer(actor=self.actor, now=now, name=vendors.account.title(), currency="EUR")
            environment = Environment.objects.get(customer=customer, kind=EnvironmentKind.PRODUCTION)
            chain = Chain(self.actor, environment)
            chain.connect(self._systems(vendors), now)
            chain.deploy(key, now)

    def _systems(self, vendors: SimulatedSystems) -> dict[str, System]:
        return {
            role: System(
                vendor=system.vendor, secrets=system.secrets,
                settings={**system.settings, "base_url": f"{self.proxy.url}/{system.vendor}/{vendors.account}"},
            )
            for role, system in vendors.systems().items() if role != "billing"
        }  # fmt: skip

    def listen(self, port: int) -> None:
        """Every change in the CRM is told through the proxy at `port`."""
        save_oauth_app(actor=self.actor, now=clock.now(), vendor="hubspot", client_id="app-1", webhook_secret=SECRET)
        token = OAuthApp.objects.get(vendor="hubspot").webhook_token
        for vendors in (self.accounts, self.sales):
            vendors.hubspot.webhooks(f"http://{HOST}:{port}/hooks/{token}/", SECRET)

    def nudge(self) -> None:
        """The safety net behind the webhooks, closer than any schedule."""
        for flow in Flow.objects.filter(is_enabled=True):
            schedule(kind="sync.flow", key=str(flow.pk), due_at=clock.now())

    def state(self) -> dict[str, Any]:
        parties = [p for p in self.accounts.tryton.objects("parties") if p["name"] != "Soak1"]
        projects, boards = self.sales.tryton.objects("projects"), self.sales.redmine.objects("projects")
        return {
            "companies": sorted(
                name for c in self.accounts.hubspot.objects("companies") if (name := c["properties"]["name"]) != "Soak1"
            ),
            "parties": sorted(party["name"] for party in parties),
            "projects": sorted(project["name"] for project in projects),
            "boards": sorted(board["name"] for board in boards),
            "issues": len(self.sales.redmine.objects("issues")),
            "buyers": sorted(p["name"] for p in self.sales.tryton.objects("parties") if p["name"] != "Soak2"),
        }


def expected(people: People) -> dict[str, Any]:
    deals = sorted(f"Deal {n}" for n in range(people.deals))
    return {
        "companies": people.names, "parties": people.names, "projects": deals, "boards": deals, "issues": len(deals),
        "buyers": sorted(f"Buyer {n}" for n in range(people.deals)),
    }  # fmt: skip


def out_of_order(seen: list[tuple[str, str, bytes]]) -> list[str]:
    """Firms that were written to the ERP with an older name after a newer one."""
    newest: dict[bytes, int] = {}
    found = []
    for method, path, body in seen:
        if method == "GET" or not path.startswith("/tryton/soak1") or path.endswith("search_read"):
            continue
        for name, version in _VERSION.findall(body):
            if int(version) < newest.get(name, 0):
                found.append(f"{name.decode()} v{int(version)} after v{newest[name]}")
            newest[name] = max(int(version), newest.get(name, 0))
    return found


@pytest.fixture
def soak_schema(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        _drop()
        with public_plane():
            now = clock.now()
            partner = Partner.objects.create(
                name="Soak", slug="soak", schema_name=SCHEMA, status=PartnerStatus.ACTIVE, created_at=now,
                provisioned_at=now,
            )  # fmt: skip
            Domain.objects.create(tenant=partner, domain=HOST, is_primary=True, is_platform=True)
            with connection.cursor() as cursor:  # what other stories left due is not ours
                cursor.execute("DELETE FROM public.dispatch_workitem")
        create_schema_from_template(SCHEMA)
        with tenant_plane(SCHEMA):
            yield
        _drop()


def _drop() -> None:
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA IF EXISTS "{SCHEMA}" CASCADE')
        cursor.execute("DELETE FROM public.dispatch_workitem WHERE schema = %s", [SCHEMA])
    Partner.objects.filter(schema_name=SCHEMA).delete()


def await_rest(soak: Soak, platform: Platform, goal: Callable[[], bool]) -> None:
    """What a long time of trouble left undone takes its time: the wait ends early only where nothing moves any more."""
    end, deadline, seen = time.monotonic() + SETTLES_WITHIN, 0.0, None
    while not goal():
        now = (soak.state(), WriteIntent.objects.count())
        if now != seen:
            seen, deadline = now, min(time.monotonic() + MOVES_WITHIN, end)
        if time.monotonic() > deadline:
            return
        platform.revive()
        soak.nudge()
        time.sleep(1)


def test_nothing_is_lost_doubled_or_out_of_order(
    soak_schema: None, sandbox: RunningSandbox, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(SEED)
    trouble = Trouble(random.Random(chance.random()))
    with (
        running_proxy(sandbox.url, trouble.of_calls) as proxy,
        TemporaryDirectory(prefix="chaos-") as folder,
        running_platform(Path(folder), random.Random(chance.random())) as platform,
        running_proxy(f"http://127.0.0.1:{platform.port}", trouble.of_webhooks) as hooks,
    ):
        trouble.is_over = True  # connecting is not what is tried here
        soak = Soak(proxy, sandbox)
        soak.set_up()
        soak.listen(hooks.port)
        people = People(soak.accounts.hubspot, soak.sales.hubspot, random.Random(chance.random()))
        trouble.is_over, gave_up = False, Counter[str]()
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for _ in range(chance.randrange(1, 4)):
                people.act()
            time.sleep(chance.uniform(0.2, 0.9))
            soak.nudge()
            platform.strike()
            gave_up.update(platform.revive())
        trouble.is_over = True
        goal = expected(people)
        await_rest(soak, platform, lambda: soak.state() == goal and _is_quiet())
        request.config.stash[SOAKED] = (SEED, platform.kills, proxy.counts + hooks.counts, gave_up)

        assert soak.state() == goal, told(soak)
        assert out_of_order(proxy.seen) == []
        assert _is_quiet(), told(soak)
        print(told(soak))
        assert people.deals > 2
        assert len(people.firms) > 4
        assert set(gave_up) <= {"dispatcher", "sync", "small", "web"}


def told(soak: Soak) -> str:
    """What the platform itself says about why it has not come to rest."""
    lines = [_told_run(run) for flow in Flow.objects.all() for run in flow.runs.order_by("-queued_at")[:3]]
    lines += [
        f"{f.direction} {f.record_title}: {f.message}" for f in RecordFailure.objects.exclude(status="resolved")[:5]
    ]
    lines += [
        f"webhooks {Counter(d['status'] for d in vendors.hubspot.deliveries())}"
        for vendors in (soak.accounts, soak.sales)
    ]
    intents = Counter(WriteIntent.objects.values_list("status", flat=True))
    dead = [f"{c.name}: {c.status} {c.status_reason}" for c in Connection.objects.exclude(status="active")]
    return "\n".join(
        [*lines, str(dict(intents)), *dead, *map(str, WorkItem.objects.values_list("kind", "due_at", "lease_until"))]
    )


def _told_run(run: SyncRun) -> str:
    steps = "".join(f"\n    {s.started_at:%T} {s.label}: {s.status} {s.counts}" for s in run.steps.order_by("position"))
    return (
        f"{run.flow} {run.queued_at:%T}: {run.status} {run.held_by} {run.error_message} attempt {run.attempts} "
        f"heartbeat {run.heartbeat_at} resumes {run.resume_at} read {run.read_count} made {run.created_count}{steps}"
    )


def _is_quiet() -> bool:
    """No write is open and no record failed for good; the broker may be gone, the tables tell."""
    return not (
        WriteIntent.objects.filter(status__in=["planned", "sent", "uncertain"]).exists()
        or RecordFailure.objects.filter(status__in=["open", "retrying"]).exists()
    )
