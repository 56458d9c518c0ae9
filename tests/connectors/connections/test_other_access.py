"""Keys and addresses of production are changed at once, by one person; where a second one publishes, they learn of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.connectors.services import update_connection
from apps.connectors.services.credentials import store_secrets
from apps.core.actor import Actor
from apps.customers.models import Environment
from apps.events.relaying import relay_outbox
from apps.flows.services import set_release_rules
from apps.notifications.models import OutgoingMail
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY
from tests.factories.askers import owner, owner_actor
from tests.factories.world import make_staff

__all__ = ["owner", "owner_actor"]


@pytest.mark.parametrize(
    ("is_reviewed", "kind", "told"),
    [(True, "production", ["carl@acme.example"]), (False, "production", []), (True, "sandbox", [])],
    ids=["with the rule", "without it", "in a sandbox"],
)
def test_a_colleague_learns_of_another_key(
    make_connection: MakeConnection, environment: Environment, owner_actor: Actor, now: datetime, is_reviewed: bool,
    kind: str, told: list[str],
) -> None:  # fmt: skip
    make_staff(now, "admin", "carl@acme.example")
    make_staff(now, "support")
    set_release_rules(actor=owner_actor, now=now, requires_review=is_reviewed)
    Environment.objects.filter(pk=environment.pk).update(kind=kind)
    connection = make_connection()
    connection.refresh_from_db()

    for name, secrets in (("Renamed", {}), ("Renamed", {"api_key": GOOD_KEY})):
        update_connection(actor=owner_actor, now=now, connection=connection, name=name, settings={}, secrets=secrets)
        relay_outbox(now=now)

    mails = OutgoingMail.objects.filter(kind="flows.access_changed")
    assert list(mails.values_list("recipient", flat=True)) == told
    assert [mail.subject for mail in mails] == ["Other access to Renamed of Initech"] * len(told)


def test_a_colleague_learns_of_another_address(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime
) -> None:
    make_staff(now, "admin", "carl@acme.example")
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    connection = make_connection("cloud")
    store_secrets(connection=connection, secrets={"access_token": "given-access-1"}, now=now)
    connection.refresh_from_db()

    for address in ("https://cloud.example.com", "https://elsewhere.example.com"):
        settings = {"base_url": address}
        update_connection(
            actor=owner_actor, now=now, connection=connection, name="Books", settings=settings, secrets={}
        )
        relay_outbox(now=now)

    assert OutgoingMail.objects.get(kind="flows.access_changed").recipient == "carl@acme.example"
