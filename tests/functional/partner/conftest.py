from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from apps.accounts.services import appoint, create_person
from tests.browsing import Browser
from tests.factories.kept import kept
from tests.factories.library import load_library
from tests.functional.partner.scene import Scene, make_scene

SignIn = Callable[[str], Client]


@pytest.fixture
def sign_in(partner: object, now: datetime) -> SignIn:
    """A browser of a colleague in the role."""

    def sign(role: str) -> Client:
        email = f"{role}@acme.example"
        user = create_person(email=email, name=role.title(), password="correct horse battery", now=now)
        appoint(user=user, role=role, now=now)
        browser = Browser()
        browser.force_login(user)
        return browser

    return sign


@pytest.fixture
def owner(sign_in: SignIn) -> Client:
    return sign_in("owner")


@pytest.fixture
def viewer(sign_in: SignIn) -> Client:
    return sign_in("viewer")


@pytest.fixture
def scene(partner: object, now: datetime) -> Scene:
    """One customer with systems, a live integration, runs, failures, a promise and a bill."""
    load_library()
    return kept("scene", lambda: make_scene(now), on=("library",), identify=lambda made: str(made.customer.pk))
