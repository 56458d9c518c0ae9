"""Signed statements of machines (RFC 7523): what one says, once its signature and its time have been checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import JoseError


def signed_claims(
    statement: str, *, certificate: str, algorithm: str, now: datetime, longest: timedelta
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims; None unless the holder of `certificate` (PEM, RSA) signed it and it ends within `longest`."""
    try:
        token = jwt.decode(statement, jwk.import_key(certificate, "RSA"), algorithms=[algorithm])
        left = timedelta(seconds=float(token.claims["exp"]) - now.timestamp())
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return (dict(token.header), dict(token.claims)) if timedelta() < left <= longest else None
