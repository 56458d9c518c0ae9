"""What the log keeps, over the API."""

from __future__ import annotations

from datetime import datetime

from apps.audit.models import AuditEvent
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.customers.models import Customer
from apps.sync.models import LogSettings
from tests.api.conftest import ApiClient, make_key
from tests.api.test_decisions import send
from tests.factories.delivery import make_connection


def test_what_is_named_changes_and_the_rest_stays(api: ApiClient) -> None:
    found = api.get("/log/settings").json()
    assert (found["keeps_payloads"], found["hidden_fields"], found["days"]["runs"]) == (
        True,
        [],
        {"success": 400, "failure": 400},
    )

    changed = send(
        api, "patch", "/log/settings", {"hidden_fields": ["Email", "*phone*"], "days": {"payloads": {"success": 7}}}
    ).json()  # type: ignore[attr-defined]
    none = send(api, "patch", "/log/settings", {"keeps_payloads": False}).json()  # type: ignore[attr-defined]

    assert changed["days"]["payloads"] == {"success": 7, "failure": 90}
    assert (none["keeps_payloads"], none["hidden_fields"]) == (False, ["email", "*phone*"])
    assert none["days"] == changed["days"] | {}
    assert LogSettings.objects.get().days["payloads"]["success"] == 7
    assert AuditEvent.objects.filter(action="logs.settings_changed").count() == 2


def test_what_cannot_be_is_refused_with_its_field(api: ApiClient) -> None:
    for wrong, pointer in (
        ({"hidden_fields": ["no field!"]}, "/hidden_fields"), ({"days": {"runs": {"success": 5}}}, "/runs_success"),
        ({"days": {"calls": {"failure": 0}}}, "/days/calls/failure"),
    ):  # fmt: skip
        answer = send(api, "patch", "/log/settings", wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)  # type: ignore[attr-defined]
    assert not LogSettings.objects.exists()


def test_one_systems_values_are_left_out(api: ApiClient, brightwater: Customer) -> None:
    connection = make_connection(brightwater)
    path = f"/connections/{encode_id('con', connection.pk)}/payloads"
    assert api.get(path).json() == {"keeps_payloads": True}

    assert send(api, "put", path, {"keeps_payloads": False}).json() == {"keeps_payloads": False}  # type: ignore[attr-defined]

    assert api.get("/log/settings").json()["connections_without_payloads"] == [encode_id("con", connection.pk)]
    assert send(api, "put", path, {"keeps_payloads": True}).json() == {"keeps_payloads": True}  # type: ignore[attr-defined]


def test_it_takes_its_own_scope_which_no_customers_key_has(
    bound: ApiClient, brightwater: Customer, owner_actor: Actor, now: datetime
) -> None:
    reader = ApiClient(make_key(owner_actor, now, scopes=["integrations.manage", "runs.view"])[1])
    path = f"/connections/{encode_id('con', make_connection(brightwater).pk)}/payloads"

    for client in (bound, reader):
        assert [client.get("/log/settings").status_code, client.get(path).status_code] == [403, 403]
        assert send(client, "patch", "/log/settings", {"keeps_payloads": False}).status_code == 403  # type: ignore[attr-defined]
    assert not LogSettings.objects.exists()
