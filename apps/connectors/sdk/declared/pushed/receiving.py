"""One delivery: proven, checked against the schema of its object, and taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from apps.connectors.sdk.declared.pushed.definition import PushAuthPart, PushedDefinition, PushedObjectPart
from apps.connectors.sdk.paginators import dig
from apps.connectors.sdk.types import WebhookEvent
from apps.connectors.sdk.webhooks import InvalidDelivery, hmac_sha256_hex, require_signature
from apps.core.expressions import functions

LONGEST_ID = 200
HIGHEST_VERSION = 2**63 - 1
MICROSECONDS = 1_000_000


def receive(
    definition: PushedDefinition, *, secret: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> WebhookEvent:
    """Raises ForgedWebhook, and InvalidDelivery with the place of what is wrong."""
    _prove(definition.auth, secret, headers, body)
    data = _json(body)
    part = _part(definition, data)
    _check(part, data)
    record = dig(data, part.record)
    if not isinstance(record, dict):
        raise InvalidDelivery(part.record, "There is no record here.")
    version = _version(part, data, now)
    return WebhookEvent(
        event_id=_text(data, definition.event_id),
        stream=part.name,
        external_id=_text(data, part.id),
        occurred_at=now,
        record=record,
        version=version,
        deleted=bool(part.deleted and dig(data, part.deleted)),
    )


def _json(body: bytes) -> Any:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidDelivery("", "This is not JSON.") from None
    try:
        # What is read deeper than it can be written could not be kept.
        orjson.dumps(data)
    except TypeError:
        raise InvalidDelivery("", "This is nested too deeply.") from None
    if b"\\u0000" in body and _holds_null(data):
        raise InvalidDelivery("", "A text holds a null character.")
    return data


def _holds_null(data: Any) -> bool:
    """Texts that the database cannot hold."""
    if isinstance(data, dict):
        return any("\x00" in key or _holds_null(value) for key, value in data.items())
    if isinstance(data, list):
        return any(map(_holds_null, data))
    return isinstance(data, str) and "\x00" in data


def _prove(auth: PushAuthPart, secret: str, headers: Mapping[str, str], body: bytes) -> None:
    if auth.kind == "bearer":
        require_signature(expected=f"Bearer {secret}", given=headers.get("authorization", ""))
    else:
        require_signature(expected=auth.prefix + hmac_sha256_hex(secret, body), given=headers.get(auth.header, ""))


def _part(definition: PushedDefinition, data: Any) -> PushedObjectPart:
    if not definition.object:
        return definition.objects[0]
    named = dig(data, definition.object)
    found = next((part for part in definition.objects if part.name == named), None)
    if found is None:
        raise InvalidDelivery(
            definition.object, f"Choose one of {', '.join(part.name for part in definition.objects)}."
        )
    return found


def _check(part: PushedObjectPart, data: Any) -> None:
    try:
        wrong = best_match(_validator(orjson.dumps(part.schema)).iter_errors(data))
    except RecursionError:
        raise InvalidDelivery("", "This is nested too deeply.") from None
    if wrong is not None:
        raise InvalidDelivery(".".join(str(key) for key in wrong.absolute_path), wrong.message[:300])


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(schema), format_checker=Draft202012Validator.FORMAT_CHECKER)


def _text(data: Any, place: str) -> str:
    found = dig(data, place)
    if isinstance(found, bool) or not isinstance(found, str | int) or not str(found) or len(str(found)) > LONGEST_ID:
        raise InvalidDelivery(place, f"Give a text of at most {LONGEST_ID} characters, or a whole number.")
    return str(found)


def _version(part: PushedObjectPart, data: Any, now: datetime) -> int:
    """Whole numbers as they are, times in microseconds; without any, the order of arrival counts."""
    found = dig(data, part.version) if part.version else now.isoformat()
    if isinstance(found, int) and not isinstance(found, bool):
        number = found
    else:
        try:
            moment = functions.moment(found) if isinstance(found, str) else None
            if moment is None:
                raise ValueError
            exact = datetime.fromisoformat(str(found).replace("Z", "+00:00"))
            number = int((exact if exact.tzinfo else datetime.fromisoformat(moment)).timestamp() * MICROSECONDS)
        except (ValueError, TypeError, OverflowError, msgspec.ValidationError):
            raise InvalidDelivery(part.version, "Give a whole number or a time in ISO 8601.") from None
    if abs(number) > HIGHEST_VERSION:
        raise InvalidDelivery(part.version, "This number is too large.")
    return number
