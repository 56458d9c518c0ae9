from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.bottlecrm import BottleConnector
from sandbox.testing import AccountControl, RunningSandbox

_accounts = itertools.count(1)
TOKEN = "bcrm_pat_1234567890"


@pytest.fixture
def account() -> str:
    return f"firm{next(_accounts)}"


@pytest.fixture
def control(sandbox: RunningSandbox, account: str) -> AccountControl:
    found = sandbox.control("bottlecrm", account)
    found.credentials(api_key=TOKEN)
    return found


@pytest.fixture
def connector(sandbox: RunningSandbox, account: str, control: AccountControl) -> Iterator[BottleConnector]:
    made = BottleConnector(
        ConnectionContext(
            settings={"base_url": sandbox.base_url("bottlecrm", account)},
            credentials={"api_key": TOKEN},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )
    yield made
    made.close()
