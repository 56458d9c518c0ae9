"""A partner of its own whose rows are really committed, and the list of measures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from apps.core.planes import public_plane, tenant_plane
from apps.provisioning.schema_template import create_schema_from_template
from apps.tenants.models import Domain, Partner, PartnerStatus
from config.settings import base
from tests.bench.measures import Measures
from tests.conftest import NOW

SCHEMA = "p_bench"
ROOT = Path(__file__).resolve().parents[2]
MEASURES = pytest.StashKey[Measures]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if MEASURES in config.stash:
        for line in config.stash[MEASURES].table():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def measures(request: pytest.FixtureRequest) -> Iterator[Measures]:
    found = request.config.stash.setdefault(MEASURES, Measures())
    yield found
    found.save()


@pytest.fixture(scope="session")
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[Partner]:
    """The partner "bench", gone again after the session."""
    with django_db_blocker.unblock():
        drop()
        with public_plane():
            partner = Partner.objects.create(
                name="Bench", slug="bench", schema_name=SCHEMA, status=PartnerStatus.ACTIVE, created_at=NOW,
                provisioned_at=NOW,
            )  # fmt: skip
            Domain.objects.create(tenant=partner, domain="bench.localhost", is_primary=True, is_platform=True)
        create_schema_from_template(SCHEMA)
        with tenant_plane(SCHEMA):
            yield partner
        drop()


def drop() -> None:
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA IF EXISTS "{SCHEMA}" CASCADE')
        cursor.execute("DELETE FROM public.dispatch_workitem WHERE schema = %s", [SCHEMA])
    Partner.objects.filter(schema_name=SCHEMA).delete()


@pytest.fixture
def _django_db_helper(committed: None) -> None:
    """Instead of a transaction that is rolled back: what is measured is really committed."""


@pytest.fixture(scope="module", autouse=True)
def settled(committed: Partner, django_db_blocker: Any) -> None:
    """What the measures before left behind is cleared up and known to the planner, as autovacuum does in time."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


@pytest.fixture(scope="session")
def environment_variables(django_db_setup: None) -> dict[str, str]:
    """For processes beside the test: they use its database."""
    database = settings.DATABASES["default"]
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings.test"}


@pytest.fixture(scope="session")
def start_vendor() -> Iterator[Callable[[int], str]]:
    """Starts a vendor with so many records and gives its address."""
    running: list[subprocess.Popen[str]] = []

    def start(record_count: int) -> str:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.vendor_server", str(record_count)], cwd=ROOT, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{int(process.stdout.readline())}"

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="session")
def vendor_url(record_count: int, start_vendor: Callable[[int], str]) -> str:
    return start_vendor(record_count)


@pytest.fixture(scope="session")
def record_count() -> int:
    return int(os.environ.get("BENCH_RECORDS", "20000"))


@pytest.fixture(autouse=True)
def as_in_production(settings: Any) -> None:
    """What tests want to see at once is asked for now and then only."""
    settings.LOG_SETTINGS_SECONDS = base.LOG_SETTINGS_SECONDS


@pytest.fixture
def target() -> str:
    """The vendor to write to."""
    return "target"
