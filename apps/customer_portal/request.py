"""What the access policy has left on the request."""

from __future__ import annotations

from apps.accounts.access import ActorRequest
from apps.customers.models import Customer, CustomerMembership


def customer_of(request: ActorRequest) -> Customer:
    """The active customer: the one the actor's scope names."""
    membership: CustomerMembership = request.membership  # type: ignore[attr-defined]
    return membership.customer
