from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from apps.connectors.vendors.salesforce import SalesforceConnector
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.salesforce.support import connect

_accounts = itertools.count(1)


@pytest.fixture
def account() -> str:
    return f"org{next(_accounts)}"


@pytest.fixture
def control(sandbox: RunningSandbox, account: str) -> AccountControl:
    return sandbox.control("salesforce", account)


@pytest.fixture
def connector(sandbox: RunningSandbox, account: str, control: AccountControl) -> Iterator[SalesforceConnector]:
    made = connect(sandbox, account)
    yield made
    made.close()
