"""Receivers believe us: the specification's own library does, the example of its text does, and forgeries fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.actor import Actor
from apps.core.crypto import SealBroken
from apps.notifications.models import WebhookEndpoint, WebhookSecret
from apps.notifications.secrets import open_secret, reseal_secrets, secrets_in_use
from apps.notifications.services import create_endpoint, rotate_secret
from apps.notifications.signing import new_secret, sign, signed_headers
from tests.notifications.conftest import URL, Receiver, happen, work


def test_the_specifications_example() -> None:
    # From the reference implementation's own test.
    secret, body = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'

    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_the_official_library_accepts_what_we_send(partner: object, owner_actor: Actor, receiver: Receiver) -> None:
    now = clock.now()  # the library holds the timestamp against the clock
    endpoint, secret = create_endpoint(actor=owner_actor, now=now, url=URL)
    happen(now)
    work(endpoint, now)

    request = receiver.requests[0]
    assert Webhook(secret).verify(request.content, dict(request.headers))["type"] == "billing.invoice.paid"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.content + b" ", dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.content, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.content, {**request.headers, "webhook-id": "evt_another"})


def test_both_secrets_are_good_for_a_while(partner: object, owner_actor: Actor, receiver: Receiver) -> None:
    now = clock.now()
    endpoint, old = create_endpoint(actor=owner_actor, now=now, url=URL)
    new = rotate_secret(actor=owner_actor, now=now, endpoint=endpoint, overlap=timedelta(hours=1))
    happen(now)
    work(endpoint, now)

    request = receiver.requests[0]
    for secret in (old, new):
        Webhook(secret).verify(request.content, dict(request.headers))
    assert secrets_in_use(endpoint, now + timedelta(minutes=59)) == [new, old]
    assert secrets_in_use(endpoint, now + timedelta(hours=1)) == [new]


def test_what_expired_goes_with_the_next_rotation(endpoint: WebhookEndpoint, owner_actor: Actor, now: datetime) -> None:
    for days in (0, 2, 4):
        rotate_secret(actor=owner_actor, now=now + timedelta(days=days), endpoint=endpoint)

    assert endpoint.secrets.count() == 2


def test_secrets_are_sealed_and_bound_to_their_row(
    endpoint: WebhookEndpoint, owner_actor: Actor, now: datetime
) -> None:
    secret = rotate_secret(actor=owner_actor, now=now, endpoint=endpoint)
    rows = list(WebhookSecret.objects.order_by("created_at", "id"))

    assert all(secret.encode() not in bytes(row.sealed) for row in rows)
    assert secret not in str(list(AuditEvent.objects.values()))
    rows[0].sealed = rows[1].sealed
    with pytest.raises(SealBroken):
        open_secret(rows[0])


def test_every_secret_is_long_and_its_own() -> None:
    secrets = {new_secret() for _ in range(20)}

    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {len("whsec_") + 44}


def test_headers_carry_one_signature_per_secret() -> None:
    headers = signed_headers(["whsec_YQ==", "whsec_Yg=="], "evt_1", datetime(2026, 11, 2, tzinfo=UTC), b"{}")

    assert headers["webhook-timestamp"] == "1793577600"
    assert [part[:3] for part in headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]


def test_a_new_key_seals_what_an_older_one_sealed(
    endpoint: WebhookEndpoint, owner_actor: Actor, now: datetime, settings: object
) -> None:
    secret = rotate_secret(actor=owner_actor, now=now, endpoint=endpoint)
    settings.CREDENTIAL_KEYS = {"test2": "22" * 32, "test3": "33" * 32}  # type: ignore[attr-defined]

    assert [reseal_secrets(), reseal_secrets()] == [2, 0]
    settings.CREDENTIAL_KEYS = {"test3": "33" * 32}  # type: ignore[attr-defined]
    assert secret in secrets_in_use(endpoint, now)
