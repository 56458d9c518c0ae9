"""Proving that a delivery comes from the vendor and is fresh; taking apart what is proven."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import orjson

from apps.connectors.sdk.types import WebhookEvent

MAX_AGE_SECONDS = 300
LONGEST_ID = 200
# What reading JSON of another shape raises: no such key, no such place, another type, a time beyond the calendar.
MISSHAPEN = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError)


class ForgedWebhook(Exception):
    """The delivery's signature is missing, wrong or too old. Answer 401 and store nothing."""


class InvalidDelivery(Exception):
    """A genuine delivery whose content cannot be taken. Answer 422 with the `place` and the `reason`; store nothing."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


def hmac_sha256_base64(secret: str, message: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def hmac_sha256_hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def require_signature(*, expected: str, given: str) -> None:
    """Raises ForgedWebhook unless both are equal; takes the same time wherever they differ."""
    if not given or not hmac.compare_digest(expected.encode(), given.encode()):
        raise ForgedWebhook("the signature does not match")


def require_fresh(sent_at: datetime, *, now: datetime, max_age_seconds: int = MAX_AGE_SECONDS) -> None:
    """Raises ForgedWebhook for a delivery older, or further in the future, than the window: a replay."""
    if abs((now - sent_at).total_seconds()) > max_age_seconds:
        raise ForgedWebhook("the delivery is too old")


def take_apart(body: bytes, split: Callable[[Any], Iterable[WebhookEvent]]) -> list[WebhookEvent]:
    """The events of a delivery that is proven genuine. Raises InvalidDelivery where it has not the system's shape."""
    try:
        return list(split(orjson.loads(body)))
    except MISSHAPEN as error:
        raise InvalidDelivery("", "This is not JSON as the system sends it.") from error


def id_text(value: Any) -> str:
    """An id as systems write them: a text or a whole number. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value):
        raise ValueError("an id is a text or a whole number")
    return str(value)


def require_keepable(events: Iterable[WebhookEvent]) -> None:
    """Raises InvalidDelivery for names and ids that cannot be stored, or that nobody could tell apart."""
    for event in events:
        texts: tuple[Any, ...] = (event.event_id, event.account_id, event.stream, event.external_id)
        if not event.event_id or any(not isinstance(text, str) or len(text) > LONGEST_ID for text in texts):
            raise InvalidDelivery("", f"An id is missing, or is no text of at most {LONGEST_ID} characters.")
        if any("\x00" in text for text in texts):
            raise InvalidDelivery("", "An id holds a null character.")
