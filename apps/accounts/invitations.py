"""Who makes a member of somebody who accepts. Accounts knows only the partner's own team; rooms above register the rest.

    register_acceptor("customer", add_member_from_invitation)

The kind is what stands before the colon in an invitation's `subject_key`. The acceptor runs in the acceptance's
transaction and is called as `acceptor(user=…, invitation=…, now=…)`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from apps.accounts.models import Invitation, User
from apps.accounts.policies import CustomerRole, StaffRole

STAFF_KIND = ""


class Acceptor(Protocol):
    def __call__(self, *, user: User, invitation: Invitation, now: datetime) -> None: ...


_acceptors: dict[str, Acceptor] = {}


def register_acceptor(kind: str, acceptor: Acceptor) -> None:
    _acceptors[kind] = acceptor


def acceptor_of(kind: str) -> Acceptor | None:
    return _acceptors.get(kind)


def kind_of(subject_key: str) -> str:
    return subject_key.partition(":")[0]


def role_label(invitation: Invitation) -> str:
    roles = CustomerRole if invitation.subject_key else StaffRole
    return str(dict(roles.choices).get(invitation.role, invitation.role))
