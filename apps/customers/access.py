"""How a signed-in person becomes the actor of one customer: the one chosen in the session, else the first they act for."""

from __future__ import annotations

from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.policies import CUSTOMER_PERMISSIONS
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotVisible
from apps.customers.models import CustomerMembership
from apps.customers.selectors import list_memberships

SESSION_KEY = "customer_id"


def resolve_customer_actor(request: HttpRequest) -> Actor | None:
    """None for somebody who acts for no customer. Sets `request.membership` for the pages' header."""
    user = request.user
    if not isinstance(user, User):
        return None
    membership = find_active_membership(user, request.session)
    if membership is None:
        return None
    request.membership = membership  # type: ignore[attr-defined]
    return customer_actor(user, membership)


def customer_actor(user: User, membership: CustomerMembership) -> Actor:
    """The actor that a member of a customer's team is, over that customer alone."""
    return Actor(
        kind=ActorKind.USER, id=str(user.pk), label=str(user), permissions=CUSTOMER_PERMISSIONS[membership.role],
        scope=frozenset({membership.customer_id}),
    )  # fmt: skip


def find_active_membership(user: User, session: SessionBase) -> CustomerMembership | None:
    """A choice that no longer holds (membership ended, customer archived) falls back to the first."""
    memberships = list(list_memberships(user))
    chosen = session.get(SESSION_KEY)
    return next((m for m in memberships if str(m.customer_id) == chosen), memberships[0] if memberships else None)


def choose_customer(*, session: SessionBase, user: User, customer_id: UUID) -> CustomerMembership:
    """This function will make the customer the active one of this session. Raises NotVisible without a membership."""
    membership = list_memberships(user).filter(customer_id=customer_id).first()
    if membership is None:
        raise NotVisible("There is no such customer.")
    session[SESSION_KEY] = str(customer_id)
    return membership
