"""Identifiers: UUIDv7 in the database, `<prefix>_<32 hex digits>` in the API."""

from __future__ import annotations

import uuid

import uuid_utils


def uuid7() -> uuid.UUID:
    """A time-ordered id, made in the application so that rows can be sealed and linked before they are saved."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


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
