"""A partner of its own whose rows are really committed: killed processes leave nothing to roll back."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.core.planes import public_plane, tenant_plane
from apps.customers.models import Environment, EnvironmentKind
from apps.customers.services import create_customer
from apps.provisioning.schema_template import create_schema_from_template
from apps.tenants.models import Partner, PartnerStatus
from sandbox.testing import RunningSandbox, running_sandbox
from tests.chain import Chain, SimulatedSystems
from tests.chaos.story import SCHEMA, ChaosStory
from tests.chaos.workers import Workers, running_workers
from tests.conftest import NOW

SURVIVED = pytest.StashKey[tuple[int, int]]()
# Seed, blows, faults, and processes that gave up by themselves.
SOAKED = pytest.StashKey[tuple[int, Counter[str], Counter[str], Counter[str]]]()
MakeStory = Callable[[], ChaosStory]
FLOWS = {"opportunity-to-project": {}, "time-to-invoice": {"default_rate": "100.00"}, "payment-status": {}}
_numbers = itertools.count(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if SURVIVED in config.stash:
        kills, faults = config.stash[SURVIVED]
        bad = terminalreporter.stats.get("failed") or terminalreporter.stats.get("error")
        outcome = "NOT all survived" if bad else "all survived, everything exactly once"
        terminalreporter.write_line(f"chaos: {kills} workers killed, {faults} vendor faults: {outcome}")
    if SOAKED in config.stash:
        seed, blows, struck, gave_up = config.stash[SOAKED]
        for title, counts in (("kills", blows), ("faults", struck), ("processes that gave up", gave_up)):
            parts = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
            terminalreporter.write_line(
                f"soak (seed {seed}): {counts.total()} {title}" + (f" ({parts})" if parts else "")
            )


@pytest.fixture(scope="session")
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The partner "chaos", gone again after the session."""
    with django_db_blocker.unblock():
        drop()
        with public_plane():
            Partner.objects.create(
                name="Chaos", slug="chaos", schema_name=SCHEMA, status=PartnerStatus.ACTIVE, created_at=NOW,
                provisioned_at=NOW,
            )  # fmt: skip
        create_schema_from_template(SCHEMA)
        with tenant_plane(SCHEMA):
            yield
        drop()


def drop() -> None:
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA IF EXISTS "{SCHEMA}" CASCADE')
        cursor.execute("DELETE FROM public.dispatch_workitem WHERE schema = %s", [SCHEMA])
        cursor.execute("DELETE FROM public.tenants_partner WHERE schema_name = %s", [SCHEMA])


@pytest.fixture(scope="session")
def workers(committed: None, request: pytest.FixtureRequest) -> Iterator[Workers]:
    with running_workers() as running:
        yield running
        request.config.stash[SURVIVED] = (running.kills, running.faults)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def make_story(workers: Workers, sandbox: RunningSandbox, owner_actor: Actor) -> MakeStory:
    """Every story has a customer and vendor accounts of its own."""

    def make() -> ChaosStory:
        name = f"chaos{next(_numbers)}"
        vendors = SimulatedSystems(sandbox, name)
        vendors.set_clocks(NOW)
        with moved_clock(NOW):
            customer = create_customer(actor=owner_actor, now=NOW, name=name.title(), currency="EUR")
            environment = Environment.objects.get(customer=customer, kind=EnvironmentKind.PRODUCTION)
            chain = Chain(owner_actor, environment)
            chain.connect(vendors.systems(), NOW)
            for key, settings in FLOWS.items():
                chain.deploy(key, NOW, settings)
        return ChaosStory(chain, vendors, workers, NOW)

    return make


@pytest.fixture
def _django_db_helper(committed: None) -> Iterator[None]:
    """Instead of a transaction that is rolled back: everything here reads and writes committed rows.

    Whatever plane the test before left behind.
    """
    with tenant_plane(SCHEMA):
        yield
