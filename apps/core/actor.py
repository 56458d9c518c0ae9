"""Who is acting, and on whose things. Every service and every query that a person or key causes takes one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from apps.core.errors import NotPermitted, NotVisible


class ActorKind(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"
    LINK = "link"  # whoever holds a mailed link; named by the address it was sent to


@dataclass(frozen=True, slots=True)
class Actor:
    """`scope` is the set of owner ids whose rows the actor may see; None means all of them.

    `permissions` are the names of `accounts.policies`; the system actor holds all. `made_by`: of an API key, the id of
    the person who made it and therefore may hold it; `made_by_label`: their name.
    """

    kind: ActorKind
    id: str
    label: str
    permissions: frozenset[str] = frozenset()
    scope: frozenset[UUID] | None = frozenset()
    made_by: str = ""
    made_by_label: str = ""

    @property
    def people(self) -> set[str]:
        """The ids that stand for whoever may be acting."""
        return {self.id, self.made_by} - {""}

    @property
    def signature(self) -> str:
        """Who answers for it: the actor, and of an API key the person who made it."""
        return f"{self.label}, made by {self.made_by_label}" if self.made_by_label else self.label

    def can(self, permission: str) -> bool:
        return self.kind is ActorKind.SYSTEM or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises NotPermitted when the actor's role or key does not include `permission`."""
        if not self.can(permission):
            raise NotPermitted("Your role does not allow this. Ask an administrator of your team.")

    def sees(self, owner_id: UUID) -> bool:
        return self.scope is None or owner_id in self.scope

    def require_sight(self, owner_id: UUID, missing: str) -> None:
        """Raises NotVisible with the words `missing`, as if the owner's thing did not exist."""
        if not self.sees(owner_id):
            raise NotVisible(missing)

    def require_sight_of_all(self, refusal: str) -> None:
        """Raises NotPermitted with the words `refusal` for whoever sees only some owners' things."""
        if self.scope is not None:
            raise NotPermitted(refusal)


def system_actor(label: str = "System") -> Actor:
    return Actor(kind=ActorKind.SYSTEM, id="system", label=label, scope=None)
