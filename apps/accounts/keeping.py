"""Who has to stay on the team, as rooms above this one say; nothing here knows why."""

from __future__ import annotations

from collections.abc import Callable

from apps.accounts.models import StaffMembership
from apps.core.errors import AnticipatedError

# Given the membership and the role it would have next ("" for none): why that cannot be, or "".
Keeper = Callable[[StaffMembership, str], str]
_keepers: list[Keeper] = []


class MemberNeeded(AnticipatedError):
    """The person cannot leave, or have less to say, before something else was settled."""

    status = 409
    code = "member_needed"


def register_keeper(keeper: Keeper) -> None:
    if keeper not in _keepers:
        _keepers.append(keeper)


def require_dispensable(membership: StaffMembership, next_role: str = "") -> None:
    """Raises MemberNeeded. The caller holds the locks of all memberships, so that two do not leave at once."""
    for keeper in _keepers:
        if reason := keeper(membership, next_role):
            raise MemberNeeded(reason, field="role" if next_role else "")
