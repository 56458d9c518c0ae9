"""People whose rights are looked up again by what they have done in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.accounts.access import staff_actor
from apps.accounts.models import User
from apps.core.actor import Actor
from tests.factories.world import make_staff


@pytest.fixture
def owner(partner: Any, now: datetime) -> User:
    return make_staff(now, "owner")


@pytest.fixture
def owner_actor(owner: User) -> Actor:
    """The owner as somebody who is on the team."""
    actor = staff_actor(owner)
    assert actor is not None
    return actor
