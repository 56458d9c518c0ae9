"""Secrets never leave their seal: not by a move, not by a failure, not by the worst of vendors."""

from __future__ import annotations

from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command

from apps.connectors.models import Connection, Credential, OAuthApp
from apps.connectors.services import (
    open_connector,
)
from apps.connectors.services.credentials import Secrets, credential_place, open_secrets, sealer
from apps.connectors.services.oauth_apps import open_oauth_app
from apps.core.crypto import SealBroken
from apps.core.planes import public_plane, tenant_plane
from apps.tenants.models import Partner
from tests.connectors.connections.conftest import MakeConnection
from tests.connectors.connections.fakes import GOOD_KEY


def test_a_sealed_value_moved_to_another_row_does_not_open(make_connection: MakeConnection, now: datetime) -> None:
    first, second = make_connection(name="First"), make_connection(name="Second")
    Credential.objects.filter(connection=second).update(sealed=bytes(Credential.objects.get(connection=first).sealed))

    assert open_secrets(first) == {"api_key": GOOD_KEY}
    with pytest.raises(SealBroken):
        open_secrets(second)


def test_a_sealed_value_moved_to_another_partner_does_not_open(
    make_connection: MakeConnection, other_partner: Partner
) -> None:
    make_connection()
    credential = Credential.objects.get()

    with tenant_plane(other_partner.schema_name), pytest.raises(SealBroken):
        sealer().open(bytes(credential.sealed), credential_place(credential))


def test_secrets_show_their_names_only(make_connection: MakeConnection) -> None:
    connector = open_connector(make_connection())

    assert repr(Secrets({"b": "two", "a": "one"})) == "Secrets(a, b)"
    assert GOOD_KEY not in f"{connector.context!r} {connector.context.credentials} {connector.context.credentials!r}"


def test_rotation_seals_everything_anew(
    consent: Connection, make_connection: MakeConnection, settings: object, now: datetime
) -> None:
    connection = make_connection(name="Ledger")
    settings.CREDENTIAL_KEYS = {"test1": "11" * 32, "test2": "22" * 32, "test3": "33" * 32}  # type: ignore[attr-defined]

    said = [_rotate(), _rotate()]

    assert said == [
        "2 partners: 1 credentials, 1 apps, 0 open consents and 0 webhook secrets sealed anew.\n",
        "2 partners: 0 credentials, 0 apps, 0 open consents and 0 webhook secrets sealed anew.\n",
    ]
    settings.CREDENTIAL_KEYS = {"test3": "33" * 32}  # type: ignore[attr-defined]
    assert open_secrets(connection) == {"api_key": GOOD_KEY}
    opened = open_oauth_app("cloud")
    assert opened is not None
    assert (opened.client_secret, opened.webhook_secret) == ("app-secret-123456", "hook-secret-123456")
    assert (Credential.objects.get().key_id, OAuthApp.objects.get().key_id) == ("test3", "test3")


def _rotate() -> str:
    out = StringIO()
    with public_plane():
        call_command("rotate_credentials", stdout=out)
    return out.getvalue()


def test_fifty_workers_and_an_expired_token_make_one_refresh(request: pytest.FixtureRequest) -> None:
    from tests.connectors.connections.refreshers import count_refreshes

    request.getfixturevalue("django_db_setup")
    blocker = request.getfixturevalue("django_db_blocker")
    with blocker.unblock():
        outcome = count_refreshes(workers=50)

    assert outcome.tokens == ["access-2"] * 50
    assert outcome.refreshes == 1
    assert outcome.stored == {"access_token": "access-2", "refresh_token": "refresh-2"}
