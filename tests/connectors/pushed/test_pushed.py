"""Records that a system pushes: proven, checked, stored once, read in order, whatever order they came in."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client

from apps.connectors.models import Connection, PushedRecord
from apps.connectors.registry import forget_custom
from apps.connectors.sdk.declared import InvalidDefinition, parse_definition
from apps.connectors.sdk.types import SourceRecord
from apps.connectors.sdk.webhooks import ForgedWebhook, InvalidDelivery
from apps.connectors.services import (
    UnableToConnect,
    create_connection,
    create_custom_connector,
    handle_deliveries,
    open_connector,
    publish_connector,
    receive_delivery,
)
from apps.core.actor import Actor
from apps.customers.models import Customer, Environment, EnvironmentKind
from apps.events.models import InboxEvent, OutboxEvent

SOURCE = Path("docs/examples/connectors/ticket-push.yaml").read_text(encoding="utf-8")
SECRET = "canary-push-secret-5f3a"  # noqa: S105 - of a system that does not exist


def connect(actor: Actor, now: datetime, source: str = SOURCE, secret: str = SECRET) -> Connection:
    customer = Customer.objects.create(name="Initech", slug="initech", created_at=now)
    environment = Environment.objects.create(customer=customer, kind=EnvironmentKind.PRODUCTION)
    connector = create_custom_connector(actor=actor, now=now, source=source)
    publish_connector(actor=actor, now=now, connector=connector)
    forget_custom(connector.key)
    return create_connection(
        actor=actor, now=now, environment=environment, vendor=connector.key, name="Desk", settings={},
        secrets={"webhook_secret": secret},
    )  # fmt: skip


@pytest.fixture
def desk(partner: object, owner_actor: Actor, now: datetime) -> Connection:
    return connect(owner_actor, now)


def company(event: str, revision: int, **data: Any) -> dict[str, Any]:
    return {
        "event": event, "type": "companies", "data": {"id": "7", "name": f"Name {revision}", "revision": revision, **data}
    }  # fmt: skip


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-desk-signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def push(desk: Connection, now: datetime, event: Any, **headers: str) -> int:
    body = json.dumps(event).encode()
    return receive_delivery(
        token=desk.webhook_token, headers=headers or signed(body), body=body, url="https://x.example/hooks/t/", now=now
    )


def read(desk: Connection, stream: str = "companies", checkpoint: Any = None) -> tuple[list[SourceRecord], Any]:
    pages = list(open_connector(desk).stream(stream).read(checkpoint=checkpoint, page_size=2))
    return [record for page in pages for record in page.records], pages[-1].checkpoint


def test_a_pushed_record_is_stored_told_and_read(desk: Connection, now: datetime) -> None:
    taken = push(desk, now, company("e1", 1))
    handle_deliveries(key=desk.subject_key, now=now)

    (record,) = read(desk)[0]
    assert taken == 1
    assert (record.external_id, record.data["name"], record.deleted) == ("7", "Name 1", False)
    told = OutboxEvent.objects.get(type="connectors.webhook.received")
    assert told.payload["objects"] == [{"stream": "companies", "external_id": "7"}]
    assert open_connector(desk).stream("companies").get("7") == record
    assert open_connector(desk).stream("companies").get("8") is None


def test_an_event_sent_twice_is_one_even_when_the_record_changed_since(desk: Connection, now: datetime) -> None:
    taken = [push(desk, now, company(event, 1, note=event)) for event in ("e1", "e2", "e1")]

    assert taken == [1, 1, 0]
    assert [record.data["note"] for record in read(desk)[0]] == ["e2"]
    assert InboxEvent.objects.count() == 2


def test_older_news_that_arrives_later_changes_nothing(desk: Connection, now: datetime) -> None:
    push(desk, now, company("e2", 2))
    push(desk, now, company("e1", 1))

    assert [record.data["name"] for record in read(desk)[0]] == ["Name 2"]
    assert PushedRecord.objects.get().version == 2


def test_versions_may_be_times_of_any_zone(desk: Connection, now: datetime) -> None:
    for event, at in (("e1", "2026-11-02T10:00:00+00:00"), ("e2", "2026-11-02T10:30:00+01:00")):
        push(
            desk,
            now,
            {"event": event, "type": "projects", "data": {"id": 1, "title": at, "company": "7", "changed_at": at}},
        )

    assert [record.data["title"] for record in read(desk, "projects")[0]] == ["2026-11-02T10:00:00+00:00"]


def test_a_version_beyond_the_calendar_is_told(desk: Connection, now: datetime) -> None:
    data = {"id": 1, "title": "A", "company": "7", "changed_at": "0001-01-01T00:00:00+14:00"}

    with pytest.raises(InvalidDelivery, match="changed_at: Give a whole number or a time"):
        push(desk, now, {"event": "e1", "type": "projects", "data": data})


def test_a_deletion_is_told(desk: Connection, now: datetime) -> None:
    push(desk, now, company("e1", 1, gone=True))

    assert [record.deleted for record in read(desk)[0]] == [True]


def test_a_run_goes_on_after_the_last_one(desk: Connection, now: datetime) -> None:
    for number in range(5):
        push(desk, now, company(f"a{number}", 1, id=f"a{number}"))
    first, checkpoint = read(desk)
    later = now + timedelta(hours=1)
    push(desk, later, company("b", 1, id="b"))
    second, checkpoint = read(desk, checkpoint=checkpoint)
    push(desk, later + timedelta(hours=1), company("c", 1, id="c"))
    third, _ = read(desk, checkpoint=checkpoint)

    assert [record.external_id for record in first] == ["a0", "a1", "a2", "a3", "a4"]
    # What arrived within five minutes of the last one is read again: it may have been stored late.
    assert {record.external_id for record in second} == {"a0", "a1", "a2", "a3", "a4", "b"}
    assert [record.external_id for record in third] == ["b", "c"]


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ([], "type"),
        ({"event": "e", "type": "dragons", "data": {}}, "type"),
        (company("e", 1, name=""), "data.name"),
        (company("e", 1, name=7), "data.name"),
        (company("e", 1, email="nobody"), "data.email"),
        ({"event": {}, "type": "companies", "data": company("e", 1)["data"]}, "event"),
        (company("e", 1, id="x" * 201), "data.id"),
        (company("e", 2**70), "data.revision"),
    ],
)
def test_what_the_schema_refuses_is_told_with_its_place_and_not_stored(
    desk: Connection, now: datetime, event: Any, place: str
) -> None:
    with pytest.raises(InvalidDelivery) as refused:
        push(desk, now, event)

    assert refused.value.place == place
    assert (PushedRecord.objects.count(), InboxEvent.objects.count()) == (0, 0)


def test_a_forged_delivery_is_refused_before_it_is_looked_at(desk: Connection, now: datetime) -> None:
    for headers in ({"x-desk-signature": "sha256=00"}, {"x-other": "y"}, signed(b"another body")):
        with pytest.raises(ForgedWebhook):
            push(desk, now, {"not": "valid"}, **headers)


def test_a_bearer_token_instead_of_a_signature(partner: object, owner_actor: Actor, now: datetime) -> None:
    source = SOURCE.replace('{kind: hmac, header: x-desk-signature, prefix: "sha256="}', "{kind: bearer}")
    desk = connect(owner_actor, now, source)

    assert push(desk, now, company("e1", 1), authorization=f"Bearer {SECRET}") == 1
    with pytest.raises(ForgedWebhook):
        push(desk, now, company("e2", 1), authorization="Bearer another-secret-77")


def test_a_short_secret_is_refused_and_a_good_one_is_kept_sealed(
    partner: object, owner_actor: Actor, now: datetime
) -> None:
    with pytest.raises(UnableToConnect):
        connect(owner_actor, now, secret="short")  # noqa: S106 - refused
    Customer.objects.all().delete()
    connect(owner_actor, now, SOURCE.replace("name: Ticket push", "name: Second push"))

    with database.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM connectors_connection t")
        plain = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(t::text, ' ') FROM connectors_credential t")
        plain += cursor.fetchone()[0]
    assert SECRET not in plain
    assert SECRET.encode().hex() not in plain


def test_the_address_answers_with_the_place_of_what_is_wrong(desk: Connection, client: Client) -> None:
    def post(event: Any) -> Any:
        body = json.dumps(event).encode()
        signature = signed(body)["x-desk-signature"]
        address = f"/hooks/{desk.webhook_token}/"
        return client.post(address, body, content_type="application/json", headers={"x-desk-signature": signature})

    good, again, bad = post(company("e1", 1)), post(company("e1", 1)), post(company("e2", 1, name=""))

    assert (good.status_code, again.status_code, bad.status_code) == (202, 202, 422)
    assert bad["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in bad.json()["errors"]] == ["/data/name"]


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("minLength: 1", "minLength: many", "objects[0].schema.properties.data.properties.id.minLength"),
        ("{type: integer}", '{type: string, pattern: "(a+)+$"}', "objects[0].schema.pattern"),
        ("{type: integer}", '{$ref: "https://evil.example/s"}', "objects[0].schema.$ref"),
        ("object: type\n", "", "object"),
        ("entity: account", "entity: customer", "objects[0].entity"),
    ],
)
def test_what_cannot_be_received_is_refused_with_its_place(before: str, after: str, place: str) -> None:
    assert before in SOURCE
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(SOURCE.replace(before, after, 1))

    assert refused.value.place == place


@pytest.mark.parametrize(
    "note", ["[" * 900 + "]" * 900, r'"a\u0000b"', r'{"a\u0000b": 1}', "1e400", r'"\ud800"'],
    ids=["deep", "null", "null in a name", "no number", "half a letter"],
)  # fmt: skip
def test_what_could_not_be_kept_is_refused(desk: Connection, now: datetime, note: str) -> None:
    body = json.dumps(company("e1", 1, note="HERE")).replace('"HERE"', note).encode()

    with pytest.raises(InvalidDelivery):
        receive_delivery(token=desk.webhook_token, headers=signed(body), body=body, url="", now=now)

    assert (PushedRecord.objects.count(), InboxEvent.objects.count()) == (0, 0)


def test_numbers_beyond_counting_are_kept(desk: Connection, now: datetime) -> None:
    push(desk, now, company("e1", 1, note=10**40))

    assert read(desk)[0][0].data["note"] == 10**40
