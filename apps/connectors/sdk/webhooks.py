"""Proving that a delivery comes from the vendor, and is fresh."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

MAX_AGE_SECONDS = 300


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
