"""Signatures of outgoing webhooks as the Standard Webhooks specification has them.

signed content   <webhook-id>.<webhook-timestamp>.<body>
webhook-signature   v1,<base64 of HMAC-SHA256>; one per valid secret, separated by spaces
secret   whsec_<base64 of 24 to 64 random bytes>
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One versioned signature."""
    key = b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{b64encode(digest).decode()}"


def signed_headers(secrets_in_use: Iterable[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers. `now` is the time of the attempt, which receivers hold against their clock."""
    timestamp = int(now.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in secrets_in_use),
    }
