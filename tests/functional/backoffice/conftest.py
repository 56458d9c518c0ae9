from __future__ import annotations

from datetime import datetime

import pytest

from apps.accounts.models import User
from apps.accounts.services import create_operator
from apps.core.planes import public_plane
from tests.browsing import Browser


@pytest.fixture
def operator(db: None, now: datetime) -> User:
    return create_operator(email="op@platform.example", name="Op Erator", password="correct horse battery", now=now)


@pytest.fixture
def office(operator: User) -> Browser:
    """An operator's browser at the platform's own host."""
    browser = Browser("localhost")
    with public_plane():
        browser.force_login(operator)
    return browser
