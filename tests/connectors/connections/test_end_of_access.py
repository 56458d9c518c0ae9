"""People are warned before a key or a consent ends, and learn when it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.accounts.policies import StaffRole
from apps.connectors.models import Connection, Credential
from apps.connectors.sdk.oauth2 import TokenSet
from apps.connectors.services.checks import warn_of_end
from apps.connectors.services.credentials import Secrets
from apps.connectors.services.tokens import store_tokens
from apps.notifications.models import OutgoingMail
from tests.connectors.connections.conftest import MakeConnection
from tests.factories.world import make_staff


def mails() -> list[str]:
    return list(
        OutgoingMail.objects.filter(kind="connectors.access_ends").order_by("pk").values_list("subject", flat=True)
    )


def test_a_key_that_ends_is_announced_two_weeks_and_three_days_ahead(
    make_connection: MakeConnection, now: datetime
) -> None:
    make_staff(now, StaffRole.OWNER)
    end = now + timedelta(days=20)
    connection = make_connection(access_ends_at=end)

    told = [warn_of_end(connection=connection, now=end - timedelta(days=days)) for days in (19, 14, 13, 4, 3, 1)]

    assert told == [False, True, False, False, True, False]
    assert mails() == ["Access to Ledger ends in 14 days", "Access to Ledger ends in 3 days"]


def test_a_renewed_key_is_announced_anew(make_connection: MakeConnection, now: datetime) -> None:
    make_staff(now, StaffRole.OWNER)
    connection = make_connection(access_ends_at=now + timedelta(days=10))
    warn_of_end(connection=connection, now=now)
    Credential.objects.update(access_ends_at=now + timedelta(days=100))

    told = [warn_of_end(connection=connection, now=now + timedelta(days=days)) for days in (1, 86)]

    assert told == [False, True]


def test_a_consent_ends_when_the_vendor_says_or_when_it_lies_unused(consent: Connection, now: datetime) -> None:
    said = TokenSet(access_token="a", refresh_token="r", consent_ends_at=now + timedelta(days=100))
    silent = TokenSet(access_token="a", refresh_token="r")
    ends = []
    for tokens in (said, silent):
        store_tokens(consent, Secrets({"access_token": "a"}), tokens, now)
        ends.append(Credential.objects.get().access_ends_at)

    assert ends == [now + timedelta(days=100), now + timedelta(days=60)]
