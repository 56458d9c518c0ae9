"""Skipping, out loud, what a harness cannot do."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.conformance_harness import (
    Harness,
)


def require(harness: Harness, ability: str) -> None:
    if ability not in harness.abilities:
        pytest.skip(f"this server offers no {ability}")
