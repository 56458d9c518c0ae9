from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from apps.customers.models import Customer, Environment, EnvironmentKind
from tests.connectors.files.harness import PayrollHarness
from tests.connectors.files.server import RunningSftp, running_sftp


@pytest.fixture(scope="package")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSftp]:
    """One server for all tests; each takes a folder of its own in it."""
    with running_sftp(tmp_path_factory.mktemp("sftp")) as running:
        yield running


@pytest.fixture
def payroll(sftp: RunningSftp) -> Iterator[PayrollHarness]:
    harness = PayrollHarness(sftp)
    yield harness
    harness.close()


@pytest.fixture
def environment(partner: object, now: datetime) -> Environment:
    customer = Customer.objects.create(name="Initech", slug="initech", created_at=now)
    return Environment.objects.create(customer=customer, kind=EnvironmentKind.PRODUCTION)
