"""What is done in the background is done with the rights of whoever asked, as they are by then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.accounts.access import api_key_actor
from apps.accounts.models import StaffMembership, User
from apps.accounts.services import create_api_key, create_person, revoke_api_key
from apps.core.actor import Actor, system_actor
from apps.core.ids import uuid7
from apps.customers.access import customer_actor
from apps.customers.askers import RightsGone, note_asker, present_asker
from apps.customers.models import CustomerMembership
from apps.customers.services import add_member
from tests.factories.askers import owner, owner_actor
from tests.factories.delivery import make_customer

__all__ = ["owner", "owner_actor"]


def now_holds(actor: Actor, now: datetime, permission: str) -> Actor:
    return present_asker(note_asker(actor), now=now, permissions=[permission])


def test_nothing_but_who_it_was_is_kept(owner_actor: Actor) -> None:
    assert note_asker(owner_actor) == {
        "kind": "user", "id": owner_actor.id, "label": "Staff owner", "scope": None,
    }  # fmt: skip


def test_a_role_counts_as_it_is_now(owner: User, owner_actor: Actor, now: datetime) -> None:
    assert now_holds(owner_actor, now, "keys.manage") == owner_actor
    StaffMembership.objects.filter(user=owner).update(role="engineer")

    assert now_holds(owner_actor, now, "integrations.manage").can("keys.manage") is False
    with pytest.raises(RightsGone, match="Staff owner may not do this any more"):
        now_holds(owner_actor, now, "keys.manage")


@pytest.mark.parametrize("gone", ["deactivated", "removed"])
def test_who_left_does_nothing(owner: User, owner_actor: Actor, now: datetime, gone: str) -> None:
    if gone == "deactivated":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    else:
        StaffMembership.objects.filter(user=owner).delete()

    with pytest.raises(RightsGone, match="Staff owner is not on the team any more"):
        now_holds(owner_actor, now, "runs.view")


def test_a_key_ends_at_once_or_in_time(owner_actor: Actor, now: datetime) -> None:
    later = now + timedelta(days=1)
    key, _ = create_api_key(actor=owner_actor, now=now, name="Robot", scopes=["runs.view"], expires_at=later)
    actor = api_key_actor(key)
    assert now_holds(actor, now, "runs.view") == actor
    with pytest.raises(RightsGone, match="may not do this"):
        now_holds(actor, now, "runs.start")

    with pytest.raises(RightsGone, match="Robot \\(API key\\) has expired"):
        now_holds(actor, later, "runs.view")
    revoke_api_key(actor=owner_actor, now=now, key=key)
    with pytest.raises(RightsGone, match="Robot \\(API key\\) was revoked"):
        now_holds(actor, now, "runs.view")


def test_a_customers_member_acts_for_that_customer_alone(partner: object, now: datetime) -> None:
    customer = make_customer("Northwind")
    user = create_person(email="ada@northwind.example", name="Ada", password="correct horse battery", now=now)
    membership = add_member(actor=system_actor(), now=now, customer=customer, user=user, role="admin")
    asked = note_asker(customer_actor(user, membership))

    found = present_asker(asked, now=now, permissions=["errors.resolve"], owners=[customer.pk])
    assert (found.id, found.scope) == (str(user.pk), frozenset({customer.pk}))
    with pytest.raises(RightsGone, match="may not"):
        present_asker(asked, now=now, permissions=["errors.resolve"], owners=[uuid7()])
    CustomerMembership.objects.filter(pk=membership.pk).delete()
    with pytest.raises(RightsGone, match="Ada is not on the customer’s team any more"):
        present_asker(asked, now=now, permissions=[])


def test_the_product_itself_may_go_on(now: datetime) -> None:
    assert now_holds(system_actor(), now, "templates.manage").can("templates.manage")


def test_what_nobody_asked_for_is_not_done(now: datetime) -> None:
    with pytest.raises(RightsGone, match="Nobody stands for this"):
        present_asker({}, now=now, permissions=[])
