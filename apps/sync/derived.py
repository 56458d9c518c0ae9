"""The ids of records that nobody typed: whoever makes such a record, and however often, makes the same one."""

from __future__ import annotations

from uuid import UUID, uuid5

_DERIVED = UUID("5d8c4f0e-6a53-5d0c-9a0e-1f6a8f3f3c11")


def derived_id(environment_id: UUID, origin: str, name: str) -> UUID:
    """The id of a record that a rule makes: made twice, it is the same record."""
    return uuid5(_DERIVED, f"{environment_id}:{name}:{origin}")
