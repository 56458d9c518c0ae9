"""Which customer a signed-in person acts for."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.policies import CUSTOMER_PERMISSIONS
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.customers.access import choose_customer, resolve_customer_actor
from apps.customers.models import Customer
from apps.customers.services import add_member, archive_customer, create_customer

pytestmark = pytest.mark.usefixtures("partner")


@pytest.fixture
def user(now: datetime) -> User:
    return User.objects.create_user("ada@initech.example", created_at=now)


@pytest.fixture
def customers(owner_actor: Actor, now: datetime, user: User) -> list[Customer]:
    """Ada administers Alpha and may look at Beta; Gamma is none of her business."""
    made = [create_customer(actor=owner_actor, now=now, name=name) for name in ("Alpha", "Beta", "Gamma")]
    for customer, role in zip(made[:2], ("admin", "viewer"), strict=True):
        add_member(actor=owner_actor, now=now, customer=customer, user=user, role=role)
    return made


def request_of(user: User | AnonymousUser, session: SessionStore | None = None) -> HttpRequest:
    request = HttpRequest()
    request.user = user
    request.session = session or SessionStore()
    return request


def test_the_first_membership_counts_until_one_is_chosen(user: User, customers: list[Customer]) -> None:
    actor = resolve_customer_actor(request_of(user))

    assert actor is not None
    assert (actor.id, actor.scope) == (str(user.pk), frozenset({customers[0].pk}))
    assert actor.permissions == CUSTOMER_PERMISSIONS["admin"]


def test_the_chosen_customer_brings_its_own_role(user: User, customers: list[Customer]) -> None:
    session = SessionStore()
    choose_customer(session=session, user=user, customer_id=customers[1].pk)
    actor = resolve_customer_actor(request_of(user, session))

    assert actor is not None
    assert (actor.scope, actor.permissions) == (frozenset({customers[1].pk}), CUSTOMER_PERMISSIONS["viewer"])


def test_nobody_chooses_a_strangers_customer(user: User, customers: list[Customer]) -> None:
    session = SessionStore()
    for unknown in (customers[2].pk, uuid4()):
        with pytest.raises(NotVisible):
            choose_customer(session=session, user=user, customer_id=unknown)
    forged = SessionStore()
    forged["customer_id"] = str(customers[2].pk)
    actor = resolve_customer_actor(request_of(user, forged))

    assert dict(session) == {}
    assert actor is not None
    assert actor.scope == frozenset({customers[0].pk})


def test_a_choice_ends_with_the_customer(
    user: User, customers: list[Customer], owner_actor: Actor, now: datetime
) -> None:
    session = SessionStore()
    choose_customer(session=session, user=user, customer_id=customers[1].pk)
    archive_customer(actor=owner_actor, now=now, customer=customers[1])
    actor = resolve_customer_actor(request_of(user, session))

    assert actor is not None
    assert actor.scope == frozenset({customers[0].pk})


def test_without_a_membership_there_is_no_actor(now: datetime) -> None:
    assert resolve_customer_actor(request_of(User.objects.create_user("s@s.example", created_at=now))) is None
    assert resolve_customer_actor(request_of(AnonymousUser())) is None
