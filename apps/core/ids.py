"""Identifiers: UUIDv7 in the database, `<prefix>_<32 hex digits>` in the API."""

from __future__ import annotations

import uuid

import uuid_utils

_new, _set = object.__new__, object.__setattr__
_UNKNOWN = uuid.SafeUUID.unknown  # an enumeration looks its members up anew each time


def uuid7() -> uuid.UUID:
    """A time-ordered id, made in the application so that rows can be sealed and linked before they are saved."""
    # Without the checks of `UUID(…)`, which take longer than making the number.
    made = _new(uuid.UUID)
    _set(made, "int", uuid_utils.uuid7().int)
    _set(made, "is_safe", _UNKNOWN)
    return made


class MalformedId(ValueError):
    """The text is not an id of the expected kind."""


def encode_id(prefix: str, value: uuid.UUID) -> str:
    return f"{prefix}_{value.hex}"


def decode_id(prefix: str, text: str) -> uuid.UUID:
    """Raises MalformedId when the prefix is another kind's or the rest is no UUID."""
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != 32:
        raise MalformedId(f"expected an id that starts with {prefix}_")
    try:
        return uuid.UUID(hex=tail)
    except ValueError as error:
        raise MalformedId(f"{text!r} is not a valid id") from error
