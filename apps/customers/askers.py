"""Who asked for what is done in the background, and what they may do by the time it is done.

Only who it was is kept with the work. Their rights are looked up at each of its turns: a key that was revoked, or a person
who left or has another role by now, causes nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts.access import api_key_actor, staff_actor
from apps.accounts.models import ApiKey, User
from apps.core.actor import Actor, ActorKind, system_actor
from apps.core.errors import AnticipatedError
from apps.customers.access import customer_actor
from apps.customers.selectors import list_memberships


class RightsGone(AnticipatedError):
    """Whoever asked may not do this any more; the words say why."""

    status = 403
    code = "rights_gone"


def note_asker(actor: Actor) -> dict[str, Any]:
    """What is kept of who asked: never their rights."""
    scope = None if actor.scope is None else sorted(map(str, actor.scope))
    return {"kind": actor.kind.value, "id": actor.id, "label": actor.label, "scope": scope}


def present_asker(
    asked: dict[str, Any], *, now: datetime, permissions: Iterable[str], owners: Iterable[UUID] = ()
) -> Actor:
    """Whoever asked, with the rights they hold now: all of `permissions`, over all of `owners`. Raises RightsGone."""
    if not asked:
        raise RightsGone("Nobody stands for this.")
    label = asked["label"]
    if asked["kind"] == ActorKind.SYSTEM:
        return system_actor(label)
    actor = _key(asked, now) if asked["kind"] == ActorKind.API_KEY else _person(asked)
    if not all(map(actor.can, permissions)) or not all(map(actor.sees, owners)):
        raise RightsGone(f"{label} may not do this any more.")
    return actor


def _key(asked: dict[str, Any], now: datetime) -> Actor:
    key = ApiKey.objects.filter(pk=asked["id"]).first()
    if key is None or not key.is_usable(now):
        ended = "was revoked" if key is None or key.revoked_at else "has expired"
        raise RightsGone(f"{asked['label']} {ended}.")
    return api_key_actor(key)


def _person(asked: dict[str, Any]) -> Actor:
    user = None
    with suppress(ValueError):  # an id of something else than a person
        user = User.objects.filter(pk=UUID(asked["id"]), is_active=True).first()
    scope = asked["scope"]
    actor = None
    if user is not None:
        actor = staff_actor(user) if scope is None else _member(user, scope)
    if actor is None:
        gone = "the team" if scope is None else "the customer’s team"
        raise RightsGone(f"{asked['label']} is not on {gone} any more.")
    return actor


def _member(user: User, scope: list[str]) -> Actor | None:
    membership = list_memberships(user).filter(customer_id__in=scope).first()
    return customer_actor(user, membership) if membership else None
