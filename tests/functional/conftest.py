from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.tenants.models import Partner
from tests.browsing import Browser
from tests.factories.world import World, make_world

SignIn = Callable[[User], Browser]


@pytest.fixture
def harbor(partner: Partner) -> World:
    return make_world("Brightwater")


@pytest.fixture
def stranger(partner: Partner) -> World:
    return make_world("Northwind")


@pytest.fixture(autouse=True)
def frozen(now: datetime) -> Iterator[None]:
    with clock.moved_clock(now):
        yield


@pytest.fixture
def browse() -> SignIn:
    def sign_in(user: User) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    return sign_in
