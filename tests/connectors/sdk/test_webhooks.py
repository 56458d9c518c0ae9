from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.connectors.sdk.webhooks import (
    ForgedWebhook,
    hmac_sha256_base64,
    hmac_sha256_hex,
    require_fresh,
    require_signature,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_digests_match_the_published_test_vector() -> None:
    # RFC 4231, test case 2.
    assert hmac_sha256_hex("Jefe", b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert hmac_sha256_base64("Jefe", b"what do ya want for nothing?") == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="


@pytest.mark.parametrize("given", ["", "abd", "abcd", "ABC", "é"])
def test_any_other_signature_is_a_forgery(given: str) -> None:
    require_signature(expected="abc", given="abc")
    with pytest.raises(ForgedWebhook):
        require_signature(expected="abc", given=given)


def test_the_window_is_five_minutes_both_ways() -> None:
    for seconds in (-300, 0, 300):
        require_fresh(NOW + timedelta(seconds=seconds), now=NOW)
    for seconds in (-301, 301):
        with pytest.raises(ForgedWebhook):
            require_fresh(NOW + timedelta(seconds=seconds), now=NOW)
