"""Files over the API: brought, looked at, taken over, fetched; each key sees its own customer's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.audit.models import AuditEvent
from apps.connectors.models import Connection, StoredFile
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.core.planes import public_plane
from apps.customers.models import Customer
from apps.customers.selectors import get_environment
from tests.api.conftest import ApiClient, make_key
from tests.factories.uploads import GOOD, connect_ledger, make_ledger


@pytest.fixture
def ledger(partner: object, owner_actor: Actor, now: datetime, brightwater: Customer) -> Connection:
    make_ledger(owner_actor, now)
    return connect_ledger(owner_actor, now, get_environment(brightwater, "production"))


def place(connection: Connection) -> str:
    return f"/connections/{encode_id('con', connection.pk)}/files"


def bring(api: ApiClient, connection: Connection, text: str = GOOD, name: str = "customers.csv") -> Any:
    path = f"/api/v1{place(connection)}?name={name}" if name else f"/api/v1{place(connection)}"
    return api.client.put(path, text.encode(), content_type="text/csv")


def test_a_file_is_brought_looked_at_and_taken_over(api: ApiClient, ledger: Connection) -> None:
    brought = bring(api, ledger)
    path = f"{place(ledger)}/{brought.json()['id']}"
    preview = api.get(f"{path}/preview").json()
    taken = api.post(f"{path}/take-over", key="once")
    again = api.post(f"{path}/take-over", key="once")

    assert (brought.status_code, brought.json()["state"], brought.json()["size"]) == (201, "waiting", len(GOOD))
    assert (preview["object"], preview["row_count"], preview["problem_count"]) == ("Customers", 3, 1)
    assert preview["samples"][0]["fields_read"] == {"name": "Initech", "number": "C1"}
    assert (taken.status_code, taken.json()["state"]) == (200, "taken_over")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [file["state"] for file in api.get(place(ledger)).json()["data"]] == ["taken_over"]


def test_a_file_brought_again_replaces_the_one_that_waits(api: ApiClient, ledger: Connection) -> None:
    bring(api, ledger)
    bring(api, ledger, "Number;Name;Limit\n")

    assert [file.size for file in StoredFile.objects.all()] == [len("Number;Name;Limit\n")]


def test_a_file_is_fetched_as_it_is_and_that_is_noted(api: ApiClient, ledger: Connection) -> None:
    path = f"{place(ledger)}/{bring(api, ledger).json()['id']}"

    answer = api.get(f"{path}/content")

    assert b"".join(answer.streaming_content) == GOOD.encode()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="customers.csv"'
    assert AuditEvent.objects.filter(action="file.fetched").count() == 1


def test_a_file_is_deleted(api: ApiClient, ledger: Connection) -> None:
    path = f"{place(ledger)}/{bring(api, ledger).json()['id']}"

    assert api.client.delete(f"/api/v1{path}").status_code == 204
    assert api.get(path).status_code == 404
    assert StoredFile.objects.count() == 0


@pytest.mark.parametrize(
    ("text", "name"), [("", "customers.csv"), (GOOD, ""), (GOOD, "people.csv")], ids=["empty", "nameless", "unknown"]
)
def test_what_cannot_be_taken_is_told(api: ApiClient, ledger: Connection, text: str, name: str) -> None:
    assert bring(api, ledger, text, name).status_code == 400
    assert StoredFile.objects.count() == 0


@pytest.mark.parametrize("name", [".customers.csv", "custo%0Amers.csv"])
def test_a_name_that_nobody_can_read_is_refused(api: ApiClient, ledger: Connection, name: str) -> None:
    answer = bring(api, ledger, name=name)

    assert (answer.status_code, StoredFile.objects.count()) == (400, 0)
    assert "Give the file another name" in answer.json()["detail"]


@pytest.mark.parametrize("limit", ["²", "٣", "9" * 5000, "0", "-1"])
def test_a_limit_that_is_no_number_is_refused(api: ApiClient, ledger: Connection, limit: str) -> None:
    assert api.get(place(ledger), limit=limit).status_code == 400


def test_another_customers_key_sees_no_file(
    api: ApiClient, ledger: Connection, owner_actor: Actor, now: datetime, stranger: Customer
) -> None:
    path = f"{place(ledger)}/{bring(api, ledger).json()['id']}"
    scopes = ["connections.manage", "connections.view"]
    other = ApiClient(make_key(owner_actor, now, scopes=scopes, customer_id=stranger.pk)[1])

    answers = [other.get(place(ledger)), other.get(path), other.post(f"{path}/take-over"), bring(other, ledger)]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert other.client.delete(f"/api/v1{path}").status_code == 404
    assert StoredFile.objects.get().folder == "@checking"


def test_contents_take_a_scope_of_their_own(
    api: ApiClient, ledger: Connection, owner_actor: Actor, now: datetime
) -> None:
    path = f"{place(ledger)}/{bring(api, ledger).json()['id']}"
    reader = ApiClient(make_key(owner_actor, now, scopes=["connections.view"])[1])

    assert reader.get(path).status_code == 200
    assert [reader.get(f"{path}/{part}").status_code for part in ("content", "preview")] == [403, 403]
    assert bring(reader, ledger).status_code == 403


def test_a_file_is_read_in_its_partners_schema_after_the_request_left_it(api: ApiClient, ledger: Connection) -> None:
    path = f"{place(ledger)}/{bring(api, ledger).json()['id']}"

    answer = api.get(f"{path}/content")
    with public_plane():  # where the server finds itself when it asks for the content
        content = b"".join(answer.streaming_content)

    assert content == GOOD.encode()
