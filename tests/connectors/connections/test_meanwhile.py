"""What happens to a connection while its system is being asked: one of two has their way, and nothing is stored beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from apps.audit.models import AuditEvent
from apps.connectors.models import ConnectionStatus, Credential
from apps.connectors.sdk.types import CheckResult
from apps.connectors.selectors import ConnectLinkUnusable
from apps.connectors.services import (
    UnableToConnect,
    archive_connection,
    connect_by_link,
    create_pending_connection,
    send_connect_link,
    update_connection,
    withdraw_connect_link,
)
from apps.connectors.services.credentials import open_secrets
from apps.notifications.models import OutgoingMail
from tests.connectors.connections.fakes import GOOD_KEY, Ledger

OTHER_KEY = "key-good-of-another"


@pytest.fixture
def while_asked(monkeypatch):
    """Lets an act happen between the question and the answer of the next check, which tells this account."""

    def arrange(act: Callable[[], object], account: str = "") -> None:
        ask = Ledger.check

        def check(self: Any) -> CheckResult:
            monkeypatch.setattr(Ledger, "check", ask)
            act()
            return CheckResult(account_id=account, account_name=account) if account else ask(self)

        monkeypatch.setattr(Ledger, "check", check)

    return arrange


@pytest.fixture
def pending(environment, owner_actor, now):
    return create_pending_connection(
        actor=owner_actor, now=now, environment=environment, vendor="ledger", name="Books", settings={}
    )


@pytest.fixture
def link(pending, owner_actor, now):
    """The token of a mailed link."""
    send_connect_link(actor=owner_actor, now=now, connection=pending, email="it@customer.example")
    return re.search(r"/connect/(\S+)/", OutgoingMail.objects.latest("created_at", "pk").text)[1]


def use(link, now, key=GOOD_KEY):
    return connect_by_link(token=link, now=now, settings={}, secrets={"api_key": key})


def test_of_two_browsers_with_one_link_one_connects(link, pending, now, while_asked):
    while_asked(lambda: use(link, now))

    with pytest.raises(ConnectLinkUnusable, match="has done its work"):
        use(link, now)

    assert Credential.objects.get(connection=pending).version == 1
    assert AuditEvent.objects.filter(target_key=pending.subject_key, action="connection.updated").count() == 1


def test_a_link_that_is_withdrawn_while_it_is_used_connects_nothing(link, pending, owner_actor, now, while_asked):
    while_asked(lambda: withdraw_connect_link(actor=owner_actor, now=now, link=pending.connect_links.get()))

    with pytest.raises(ConnectLinkUnusable, match="replaced or withdrawn"):
        use(link, now)

    pending.refresh_from_db()
    assert (pending.status, Credential.objects.count()) == (ConnectionStatus.PENDING, 0)


def test_nothing_secret_is_stored_for_what_is_archived_meanwhile(link, pending, owner_actor, now, while_asked):
    while_asked(lambda: archive_connection(actor=owner_actor, now=now, connection=pending))

    with pytest.raises(UnableToConnect, match="archived"):
        use(link, now)

    assert Credential.objects.count() == 0


def test_two_people_with_keys_of_two_accounts_mix_no_records(pending, owner_actor, now, while_asked):
    given = {"actor": owner_actor, "now": now, "connection": pending, "name": "Books", "settings": pending.settings}
    while_asked(lambda: update_connection(**given, secrets={"api_key": GOOD_KEY}), account="another")

    with pytest.raises(UnableToConnect, match="belong to another"):
        update_connection(**given, secrets={"api_key": OTHER_KEY})

    assert open_secrets(pending) == {"api_key": GOOD_KEY}


def test_an_address_that_is_changed_meanwhile_stays(make_connection, owner_actor, now, while_asked):
    made = make_connection()
    given = {"actor": owner_actor, "now": now, "connection": made, "name": "Books"}
    moved = {"base_url": "https://two.example.com"}
    while_asked(lambda: update_connection(**given, settings=moved, secrets={"api_key": GOOD_KEY}))

    with pytest.raises(UnableToConnect, match="Somebody else has changed"):
        update_connection(**given, settings={**made.settings, "team": 7}, secrets={})

    made.refresh_from_db()
    assert made.settings["base_url"] == "https://two.example.com"
