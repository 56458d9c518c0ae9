"""Secrets we hand out once and keep only as hashes, void in every other schema."""

from __future__ import annotations

import secrets
from hashlib import sha256

from django.utils.crypto import salted_hmac

from apps.core.planes import current_schema


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(purpose: str, token: str) -> str:
    """Keyed, with the schema in the salt: a token of one partner is unknown at every other, even in a copied row."""
    return salted_hmac(f"{purpose}|{current_schema()}", token, algorithm="sha256").hexdigest()


def api_secret_hash(secret: str) -> str:
    """Unkeyed, so that rotating the secret key leaves customers' machines working; the secret has 256 bits."""
    return sha256(f"{current_schema()}|{secret}".encode()).hexdigest()
