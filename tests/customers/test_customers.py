"""Customers are made whole, changed with a trail, and seen only by those who may."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.invitations import acceptor_of
from apps.accounts.models import Invitation, User
from apps.accounts.services import authenticate_api_key, create_api_key
from apps.accounts.services.api_keys import ApiKeyRefused
from apps.audit.models import AuditEvent
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.core.planes import tenant_plane
from apps.customers.models import Customer, CustomerMembership
from apps.customers.selectors import (
    get_customer,
    list_admin_addresses,
    list_customers,
)
from apps.customers.services import (
    UnableToAddMember,
    UnableToSaveCustomer,
    add_member,
    archive_customer,
    change_member_role,
    create_customer,
    remove_member,
    update_customer,
)
from apps.events.models import OutboxEvent
from apps.tenants.models import Partner

pytestmark = pytest.mark.usefixtures("partner")


@pytest.fixture
def customer(owner_actor: Actor, now: datetime) -> Customer:
    return create_customer(
        actor=owner_actor, now=now, name=" Initech Consulting ", currency="usd", time_zone="America/Chicago", country="us",
        contact_email="bill@initech.example",
    )  # fmt: skip


def bound_actor(*permissions: str, customer_id: UUID) -> Actor:
    return Actor(ActorKind.USER, "u", "Una", frozenset(permissions), frozenset({customer_id}))


def make_user(email: str, now: datetime) -> User:
    return User.objects.create_user(email, created_at=now)


def test_a_customer_is_made_whole(customer: Customer, owner_actor: Actor, now: datetime) -> None:
    assert (customer.name, customer.slug) == ("Initech Consulting", "initech-consulting")
    assert sorted(customer.environments.values_list("kind", flat=True)) == ["production", "sandbox"]
    (entity,) = customer.legal_entities.all()
    assert (entity.name, entity.currency, entity.country, entity.is_main) == ("Initech Consulting", "USD", "US", True)
    event = OutboxEvent.objects.get(type="customers.customer.created")
    assert (event.subject_key, event.payload["name"]) == (customer.subject_key, "Initech Consulting")
    trail = AuditEvent.objects.get(action="customer.created")
    assert (trail.owner_key, trail.after["time_zone"]) == (customer.subject_key, "America/Chicago")


def test_currency_and_zone_are_the_partners_unless_given(owner_actor: Actor, now: datetime, partner: Partner) -> None:
    created = create_customer(actor=owner_actor, now=now, name="Hooli", currency="", contact_name="Gavin")

    assert (created.currency, created.time_zone, created.contact_name) == (partner.currency, partner.time_zone, "Gavin")


def test_equal_names_get_different_addresses(owner_actor: Actor, now: datetime) -> None:
    made = [create_customer(actor=owner_actor, now=now, name="Hooli") for _ in range(3)]

    assert [customer.slug for customer in made] == ["hooli", "hooli-2", "hooli-3"]


@pytest.mark.parametrize(
    "details, field",
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 161}, "name"),
        ({"currency": "EURO"}, "currency"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"country": "Germany"}, "country"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"lifecycle": "gone"}, "lifecycle"),
    ],
)
def test_bad_details_are_refused_by_field(
    owner_actor: Actor, now: datetime, details: dict[str, Any], field: str
) -> None:
    with pytest.raises(UnableToSaveCustomer) as caught:
        create_customer(actor=owner_actor, now=now, **{"name": "Hooli", **details})

    assert caught.value.field == field
    assert (Customer.objects.count(), OutboxEvent.objects.count()) == (0, 0)


def test_an_update_changes_what_is_given_and_keeps_the_address(
    customer: Customer, owner_actor: Actor, now: datetime
) -> None:
    update_customer(actor=owner_actor, now=now, customer=customer, name="Initech", lifecycle="live")

    stored = Customer.objects.get()
    assert (stored.name, stored.slug, stored.lifecycle, stored.currency) == (
        "Initech",
        "initech-consulting",
        "live",
        "USD",
    )
    trail = AuditEvent.objects.get(action="customer.updated")
    assert (trail.before["name"], trail.after["name"]) == ("Initech Consulting", "Initech")


def test_keys_of_an_archived_customer_open_nothing_any_more(
    customer: Customer, owner_actor: Actor, now: datetime
) -> None:
    own, others = (
        create_api_key(actor=owner_actor, now=now, name="Robot", scopes=["records.view"], customer_id=customer_id)[1]
        for customer_id in (customer.pk, None)
    )

    archive_customer(actor=owner_actor, now=now, customer=customer)

    with pytest.raises(ApiKeyRefused):
        authenticate_api_key(own, now)
    assert authenticate_api_key(others, now).scope is None
    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 1


def test_an_archived_customer_leaves_the_lists(customer: Customer, owner_actor: Actor, now: datetime) -> None:
    add_member(actor=owner_actor, now=now, customer=customer, user=make_user("ada@initech.example", now), role="admin")
    archive_customer(actor=owner_actor, now=now, customer=customer)

    assert list(list_customers(owner_actor)) == []
    assert get_customer(owner_actor, customer.pk).archived_at == now
    assert list_admin_addresses(customer.pk) == []
    with pytest.raises(UnableToSaveCustomer):
        archive_customer(actor=owner_actor, now=now, customer=customer)


def test_lists_are_searched_and_counted(customer: Customer, owner_actor: Actor, now: datetime) -> None:
    create_customer(actor=owner_actor, now=now, name="Hooli")
    for name in ("ada", "bob"):
        add_member(
            actor=owner_actor, now=now, customer=customer, user=make_user(f"{name}@i.example", now), role="viewer"
        )

    assert [(row.name, row.member_count) for row in list_customers(owner_actor)] == [
        ("Hooli", 0),
        ("Initech Consulting", 2),
    ]
    assert [row.name for row in list_customers(owner_actor, search="INITECH.example")] == ["Initech Consulting"]


def test_a_stranger_sees_no_customer(customer: Customer, owner_actor: Actor, now: datetime) -> None:
    other = create_customer(actor=owner_actor, now=now, name="Hooli")
    stranger = bound_actor("customers.view", "customers.manage", "members.manage", customer_id=other.pk)

    assert [row.name for row in list_customers(stranger)] == ["Hooli"]
    with pytest.raises(NotVisible):
        get_customer(stranger, customer.pk)
    with pytest.raises(NotVisible):
        update_customer(actor=stranger, now=now, customer=customer, name="Mine")
    with pytest.raises(NotVisible):
        add_member(actor=stranger, now=now, customer=customer, user=make_user("s@s.example", now), role="admin")
    with pytest.raises(NotVisible):
        create_customer(actor=stranger, now=now, name="Third")
    assert Customer.objects.get(pk=customer.pk).name == "Initech Consulting"


def test_roles_decide(customer: Customer, now: datetime) -> None:
    viewer = Actor(ActorKind.USER, "v", "Vera", frozenset({"customers.view"}), scope=None)

    with pytest.raises(NotPermitted):
        create_customer(actor=viewer, now=now, name="Hooli")
    with pytest.raises(NotPermitted):
        archive_customer(actor=viewer, now=now, customer=customer)
    with pytest.raises(NotPermitted):
        add_member(actor=viewer, now=now, customer=customer, user=make_user("x@x.example", now), role="admin")


def test_members_come_change_and_go(customer: Customer, now: datetime) -> None:
    administrator = bound_actor("members.manage", customer_id=customer.pk)
    user = make_user("ada@initech.example", now)

    add_member(actor=administrator, now=now, customer=customer, user=user, role="viewer")
    membership = add_member(actor=administrator, now=now, customer=customer, user=user, role="admin")
    assert (CustomerMembership.objects.count(), list_admin_addresses(customer.pk)) == (1, ["ada@initech.example"])
    change_member_role(actor=administrator, now=now, membership=membership, role="admin")
    remove_member(actor=administrator, now=now, membership=membership)
    remove_member(actor=administrator, now=now, membership=membership)

    assert (CustomerMembership.objects.count(), User.objects.count()) == (0, 1)
    trail = AuditEvent.objects.filter(target_key=f"user:{user.pk}").order_by("id")
    assert [row.action for row in trail] == ["member.added", "member.role_changed", "member.removed"]
    with pytest.raises(NotVisible):
        change_member_role(actor=administrator, now=now, membership=membership, role="viewer")
    with pytest.raises(UnableToAddMember):
        add_member(actor=administrator, now=now, customer=customer, user=user, role="owner")


def test_another_partner_sees_nothing(customer: Customer, owner_actor: Actor, other_partner: Partner) -> None:
    with tenant_plane(other_partner.schema_name):
        assert list(list_customers(owner_actor)) == []


def test_an_accepted_invitation_makes_a_member(customer: Customer, owner_actor: Actor, now: datetime) -> None:
    user = make_user("ada@initech.example", now)
    invitation = Invitation(email=user.email, role="admin", subject_key=customer.subject_key)

    acceptor = acceptor_of("customer")
    assert acceptor is not None
    acceptor(user=user, invitation=invitation, now=now)
    assert CustomerMembership.objects.get().role == "admin"

    archive_customer(actor=owner_actor, now=now, customer=customer)
    with pytest.raises(UnableToAddMember):
        acceptor(user=make_user("late@initech.example", now), invitation=invitation, now=now)
