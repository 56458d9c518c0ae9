"""Operators: people of the platform, in public."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.accounts.models import StaffMembership, User
from apps.accounts.policies import StaffRole
from apps.accounts.services.people import appoint, create_person
from apps.audit.services import record_audit
from apps.core.actor import system_actor
from apps.core.planes import public_plane


def create_operator(*, email: str, name: str, password: str, now: datetime) -> User:
    """This function will create an operator in public, from whichever plane. Raises UnableToCreatePerson."""
    with public_plane(), transaction.atomic():
        user = create_person(email=email, name=name, password=password, now=now)
        first = not StaffMembership.objects.exists()
        appoint(user=user, role=StaffRole.OWNER if first else StaffRole.ADMIN, now=now)
        record_audit(
            actor=system_actor("Command line"), action="operator.created", target_key=f"user:{user.pk}",
            target_label=user.email, now=now,
        )  # fmt: skip
    return user
