"""Keeps credential values out of every text that leaves a connector."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "[redacted]"
SECRET_PARAMETER = re.compile(
    r"([?&][^=&#]*(?:token|key|secret|password|signature|sig|code|auth)[^=&#]*=)[^&#\s]+", re.IGNORECASE
)
# Shorter values ("1", "eu") would mask half of every message and protect nothing.
SHORTEST_SECRET = 6


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret value masked, longest first so that no tail of one survives."""
    for secret in sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def redact_url(url: str, secrets: Iterable[str]) -> str:
    """`url` without secret values and without the value of any parameter named like a secret."""
    return SECRET_PARAMETER.sub(lambda match: match.group(1) + MASK, redact(url, secrets))
