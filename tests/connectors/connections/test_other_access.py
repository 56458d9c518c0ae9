"""Keys and addresses of production are changed at once, by one person; where a second one publishes, they learn of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.connectors.sdk.types import CheckResult
from apps.connectors.services import UnableToConnect, update_connection
from apps.connectors.services.credentials import store_secrets
from apps.core.actor import Actor
from apps.customers.models import Environment
from apps.events.relaying import relay_outbox
from apps.flows.services import set_release_rules
from apps.notifications.models import OutgoingMail
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY, Ledger
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


@pytest.mark.parametrize(
    ("known", "there", "is_moved"),
    [
        (("acct-1", "Initech"), ("acct-1", "Initech Books"), True),
        (("acct-9", "Initech Books"), ("acct-1", "Initech Books"), False),
        (("1", "Initech Books"), ("1", "Initech Books"), True),
        (("1", "Hooli"), ("1", "Initech Books"), False),
        (("https://one.example.com", "Initech"), ("https://two.example.com", "Initech"), True),
    ],
    ids=["same id", "another id", "counted, same name", "counted, another name", "known by its address"],
)
def test_at_another_address_is_the_same_account(
    make_connection: MakeConnection, owner_actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch,
    known: tuple[str, str], there: tuple[str, str], is_moved: bool,
) -> None:  # fmt: skip
    connection = make_connection(settings={"base_url": "https://one.example.com"})
    connection.account_id, connection.account_name = known
    connection.save()
    monkeypatch.setattr(Ledger, "check", lambda _: CheckResult(account_id=there[0], account_name=there[1]))

    def move() -> None:
        update_connection(
            actor=owner_actor, now=now, connection=connection, name="Books", secrets={"api_key": GOOD_KEY},
            settings={"base_url": "https://two.example.com"},
        )  # fmt: skip

    if is_moved:
        move()
    else:
        with pytest.raises(UnableToConnect, match=f"this connection to {known[1]}"):
            move()
    connection.refresh_from_db()
    address = "https://two.example.com" if is_moved else "https://one.example.com"
    assert connection.settings["base_url"] == address
    assert (connection.account_id, connection.account_name) == (there if is_moved else known)
