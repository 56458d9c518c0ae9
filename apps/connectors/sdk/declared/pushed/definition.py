"""The shape of a system that pushes records as JSON, one event a call.

kind: webhook
auth: {kind: hmac, header: x-signature, prefix: "sha256="}
event_id: event.id
object: event.type          # where the body names the object; not needed for one object
objects:
  - name: tickets
    schema: {type: object, required: [event, data], …}
    record: data
    id: data.id
    version: data.updated_at
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from jsonschema import Draft202012Validator, SchemaError

from apps.connectors.sdk.declared.definition import (
    Hidden,
    InvalidDefinition,
    MappedPart,
    Part,
    Text,
    check_mapping,
    check_names,
)
from apps.connectors.sdk.manifest import Domain

# A pattern can make one small text take minutes to check.
_REFUSED = ("pattern", "patternProperties")
_PLAIN = frozenset({"enum", "const", "default", "examples"})


class PushAuthPart(Part, frozen=True):
    """hmac: SHA-256 of the body in hex, after `prefix`; bearer: the secret itself after `Bearer `."""

    kind: Literal["hmac", "bearer"] = "hmac"
    header: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,60}$")] = "x-signature"
    prefix: str = ""


class PushedObjectPart(MappedPart, frozen=True, kw_only=True):
    """A kind of record. `version`, a whole number or a time, orders what is said of one record: older news is dropped."""

    schema: dict[str, Any]
    id: Text
    record: str = ""
    version: str = ""
    deleted: str = ""


class PushedDefinition(Part, frozen=True, kw_only=True):
    kind: Literal["webhook"]
    name: Text
    domain: Domain
    event_id: Text
    objects: Annotated[list[PushedObjectPart], msgspec.Meta(min_length=1, max_length=50)]
    object: str = ""
    also_domains: tuple[Domain, ...] = ()
    description: str = ""
    auth: PushAuthPart = PushAuthPart()
    redact: Hidden = ()


def check_pushed(definition: PushedDefinition) -> None:
    """Raises InvalidDefinition where records could not be received."""
    names = check_names(definition.objects)
    if len(names) > 1 and not definition.object:
        raise InvalidDefinition("object", "Say where the body names its object: there are several.")
    for index, part in enumerate(definition.objects):
        place = f"objects[{index}]"
        check_mapping(place, part, names)
        _check_schema(f"{place}.schema", part.schema)


def _check_schema(place: str, schema: dict[str, Any]) -> None:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "".join(f".{key}" for key in error.absolute_path)
        raise InvalidDefinition(f"{place}{where}", error.message) from None
    for key, value in _keywords(schema):
        if key in _REFUSED:
            raise InvalidDefinition(f"{place}.{key}", "Patterns are not checked here: use enum, format or a length.")
        if key in ("$ref", "$dynamicRef") and not str(value).startswith("#"):
            raise InvalidDefinition(f"{place}.{key}", "Only references inside the schema (#/$defs/…) are followed.")


def _keywords(schema: Any, *, names: bool = False) -> Iterator[tuple[str, Any]]:
    """Every keyword of a schema; the keys below `properties` and `$defs` are names, not keywords."""
    if isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if not names:
                yield key, value
            if names or key not in _PLAIN:
                yield from _keywords(value, names=not names and key in ("properties", "$defs", "dependentSchemas"))
