from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.services import appoint, create_person

PASSWORD = "correct horse battery"
MakeStaff = Callable[..., User]


@pytest.fixture
def make_staff(now: datetime) -> MakeStaff:
    def make(email: str = "olive@acme.example", role: str = "owner", password: str = PASSWORD) -> User:
        user = create_person(email=email, name=email.split("@")[0].title(), password=password, now=now)
        appoint(user=user, role=role, now=now)
        return user

    return make


@pytest.fixture
def sign_in(client: Client) -> Callable[..., object]:
    def sign(email: str = "olive@acme.example", password: str = PASSWORD, host: str = "acme.localhost") -> object:
        return client.post("/accounts/login/", {"login": email, "password": password}, headers={"host": host})

    return sign
