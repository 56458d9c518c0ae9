"""Deliveries: proven, split, stored once, handed upwards."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest
from django.test import Client

from apps.connectors.models import Connection, OAuthApp
from apps.connectors.sdk.webhooks import hmac_sha256_hex
from apps.connectors.services import archive_connection, complete_connection, handle_deliveries
from apps.core.actor import Actor
from apps.core.planes import public_plane, tenant_plane
from apps.dispatch.models import WorkItem
from apps.events.models import InboxEvent, OutboxEvent
from apps.tenants.models import Partner
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY

SECRET = "hook-secret-abcdef"


@pytest.fixture
def hooked(make_connection: MakeConnection) -> Connection:
    return make_connection(secrets={"api_key": GOOD_KEY, "webhook_secret": SECRET})


def post(client: Client, partner: Partner, token: str, events: list[dict[str, str]], secret: str = SECRET) -> int:
    """Deliver as the vendor would, and stand in the partner's plane again afterwards."""
    body = orjson.dumps({"events": events})
    with public_plane():
        answer = client.post(
            f"/hooks/{token}/",
            body,
            content_type="application/json",
            headers={"x-signature": hmac_sha256_hex(secret, body)},
        )
    return answer.status_code


def event(number: int, **more: str) -> dict[str, str]:
    return {"id": f"evt-{number}", "stream": "accounts", "object": f"obj-{number}", **more}


def items() -> list[str]:
    return list(WorkItem.objects.filter(kind="connectors.webhook").order_by("id").values_list("key", flat=True))


def test_a_delivery_is_stored_and_due(client: Client, partner: Partner, hooked: Connection) -> None:
    assert post(client, partner, hooked.webhook_token, [event(1), event(2)]) == 200

    stored = InboxEvent.objects.order_by("external_id")
    assert [(row.source, row.external_id, row.payload["external_id"]) for row in stored] == [
        (hooked.subject_key, "evt-1", "obj-1"),
        (hooked.subject_key, "evt-2", "obj-2"),
    ]
    assert items() == [hooked.subject_key]


def test_a_replay_is_acknowledged_and_stored_once(
    client: Client, partner: Partner, hooked: Connection, now: datetime
) -> None:
    post(client, partner, hooked.webhook_token, [event(1)])
    handle_deliveries(key=hooked.subject_key, now=now)

    assert post(client, partner, hooked.webhook_token, [event(1)]) == 200

    assert InboxEvent.objects.count() == 1
    assert items() == []


def test_a_burst_shares_one_work_item(client: Client, partner: Partner, hooked: Connection) -> None:
    for number in range(5):
        post(client, partner, hooked.webhook_token, [event(number)])

    assert InboxEvent.objects.count() == 5
    assert items() == [hooked.subject_key]


def test_what_arrives_while_a_worker_is_at_it_is_due_again(
    client: Client, partner: Partner, hooked: Connection, now: datetime
) -> None:
    post(client, partner, hooked.webhook_token, [event(1)])
    WorkItem.objects.filter(kind="connectors.webhook").update(lease_until=now)

    post(client, partner, hooked.webhook_token, [event(2)])

    assert WorkItem.objects.get(kind="connectors.webhook").wanted_at is not None


@pytest.mark.parametrize("secret", ["another-secret", ""])
def test_a_forged_delivery_leaves_nothing(client: Client, partner: Partner, hooked: Connection, secret: str) -> None:
    assert post(client, partner, hooked.webhook_token, [event(1)], secret) == 401

    assert InboxEvent.objects.count() == 0
    assert items() == []


def test_without_a_stored_secret_everything_is_forged(
    client: Client, partner: Partner, make_connection: MakeConnection
) -> None:
    connection = make_connection()

    assert post(client, partner, connection.webhook_token, [event(1)], "") == 401
    assert InboxEvent.objects.count() == 0


def test_unknown_addresses_do_not_exist(
    client: Client, partner: Partner, hooked: Connection, owner_actor: Actor, now: datetime
) -> None:
    assert post(client, partner, "nobody", [event(1)]) == 404

    archive_connection(actor=owner_actor, now=now, connection=hooked)
    assert post(client, partner, hooked.webhook_token, [event(1)]) == 404
    assert InboxEvent.objects.count() == 0


def test_only_small_posts_are_read(client: Client, partner: Partner, hooked: Connection) -> None:
    path = f"/hooks/{hooked.webhook_token}/"
    with public_plane():
        assert client.get(path).status_code == 405
        assert client.post(path, b"x" * (1024 * 1024 + 1), content_type="text/plain").status_code == 413


def test_a_replaced_secret_counts_at_once(
    client: Client, partner: Partner, hooked: Connection, owner_actor: Actor, now: datetime
) -> None:
    post(client, partner, hooked.webhook_token, [event(1)])
    complete_connection(actor=owner_actor, now=now, connection=hooked, secrets={"webhook_secret": "brand-new-secret"})

    assert post(client, partner, hooked.webhook_token, [event(2)], "brand-new-secret") == 200
    assert post(client, partner, hooked.webhook_token, [event(3)], SECRET) == 401
    assert InboxEvent.objects.count() == 2


def test_an_apps_batch_is_split_by_account(
    client: Client, partner: Partner, consent: Connection, make_connection: MakeConnection
) -> None:
    other = make_connection("cloud", "Second")
    Connection.objects.filter(pk=consent.pk).update(account_id="org-1")
    Connection.objects.filter(pk=other.pk).update(account_id="org-2")
    app = OAuthApp.objects.get()
    batch = [event(1, account="org-1"), event(2, account="org-2"), event(3, account="org-unknown")]

    assert post(client, partner, app.webhook_token, batch, "hook-secret-123456") == 200

    assert dict(InboxEvent.objects.values_list("external_id", "source")) == {
        "evt-1": consent.subject_key,
        "evt-2": other.subject_key,
    }
    assert sorted(items()) == sorted([consent.subject_key, other.subject_key])


def test_a_connections_own_token_does_not_open_an_apps_hook(
    client: Client, partner: Partner, consent: Connection
) -> None:
    assert post(client, partner, consent.webhook_token, [event(1)], "hook-secret-123456") == 404


def test_handling_announces_the_streams_once(
    client: Client, partner: Partner, hooked: Connection, now: datetime
) -> None:
    post(client, partner, hooked.webhook_token, [event(1), event(2), event(3, stream="invoices")])

    assert handle_deliveries(key=hooked.subject_key, now=now) == 3
    assert handle_deliveries(key=hooked.subject_key, now=now) == 0

    announced = OutboxEvent.objects.get(type="connectors.webhook.received")
    assert announced.payload["connection_id"] == str(hooked.pk)
    assert announced.payload["streams"] == ["accounts", "invoices"]
    assert announced.payload["objects"] == [
        {"stream": "accounts", "external_id": "obj-1"},
        {"stream": "accounts", "external_id": "obj-2"},
        {"stream": "invoices", "external_id": "obj-3"},
    ]
    assert items() == []


def test_a_token_means_nothing_at_another_partner(
    client: Client, partner: Partner, other_partner: Partner, hooked: Connection
) -> None:
    body = orjson.dumps({"events": [event(1)]})
    with public_plane():
        answer = client.post(
            f"/hooks/{hooked.webhook_token}/",
            body,
            content_type="application/json",
            headers={"host": "globex.localhost", "x-signature": hmac_sha256_hex(SECRET, body)},
        )

    assert answer.status_code == 404
    with tenant_plane(other_partner.schema_name):
        assert InboxEvent.objects.count() == 0
