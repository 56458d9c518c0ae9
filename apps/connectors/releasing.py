"""Whether somebody may put alone in force what connections use at once, as rooms above this one say."""

from __future__ import annotations

from collections.abc import Callable, Collection

from apps.core.actor import Actor
from apps.core.errors import Conflict

# Given who acts and the ids of all who wrote it: why that cannot be, or "".
Guard = Callable[[Actor, Collection[str]], str]
_guards: list[Guard] = []


class SecondPersonNeeded(Conflict):
    """Somebody else has to look over it."""

    code = "second_person_needed"


def register_guard(guard: Guard) -> None:
    if guard not in _guards:
        _guards.append(guard)


def require_release(actor: Actor, author_ids: Collection[str]) -> None:
    """Raises SecondPersonNeeded."""
    for guard in _guards:
        if reason := guard(actor, author_ids):
            raise SecondPersonNeeded(reason)
