"""The log by API: searched, read, exported; a customer's key sees its own."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.canonical.models import CanonicalRecord, CrossReference
from apps.core.ids import encode_id
from apps.customers.models import Customer
from apps.flows.models import Flow
from apps.sync.models import LogExport
from apps.sync.services import make_export
from tests.api.conftest import ApiClient
from tests.factories.delivery import START, make_connection, make_flow
from tests.factories.logs import make_call, make_log


@pytest.fixture
def flow(brightwater: Customer) -> Flow:
    return make_flow(brightwater)


@pytest.fixture
def foreign(stranger: Customer) -> Flow:
    return make_flow(stranger)


def test_records_are_searched(api: ApiClient, flow: Flow, foreign: Flow) -> None:
    make_log(flow)
    failed = make_log(flow, action="failed", error_class="validation", error="The code is taken")
    make_log(foreign, action="failed", error="The code is taken")

    answer = api.get("/log/records", customer=encode_id("cus", flow.customer_id), text="taken").json()

    (row,) = answer["data"]
    assert (row["id"], row["error_class"], row["error"]) == (failed.pk, "validation", "The code is taken")
    assert (row["flow"], row["run"]) == (encode_id("flw", flow.pk), encode_id("run", failed.run_id))
    assert [row["id"] for row in api.get("/log/records", error_class="validation").json()["data"]] == [failed.pk]
    assert api.get("/log/records", action="lost").status_code == 400
    assert api.get("/log/records", flow="flw_1").status_code == 400


def test_values_are_for_keys_that_may_see_them(api: ApiClient, bound: ApiClient, flow: Flow) -> None:
    log = make_log(flow, diff={"name": ["a", "b"]})

    assert api.get(f"/log/records/{log.pk}").json()["changes"] == {"name": ["a", "b"]}
    assert bound.get(f"/log/records/{log.pk}").json()["changes"] is None


def test_an_entry_tells_the_records_id_in_every_system(api: ApiClient, flow: Flow) -> None:
    here, there = make_connection(flow.customer), make_connection(flow.customer)
    record = CanonicalRecord.objects.create(
        customer=flow.customer, environment=flow.environment, entity="project", created_at=START, changed_at=START
    )
    for connection, external_id in ((here, "P-1"), (there, "4711")):
        CrossReference.objects.create(
            record=record, connection=connection, object_name="projects", external_id=external_id
        )
    log = make_log(flow, connection=here, record_id=record.pk)

    known = api.get(f"/log/records/{log.pk}").json()["known_as"]

    assert {(row["connection"], row["external_id"]) for row in known} == {
        (encode_id("con", here.pk), "P-1"), (encode_id("con", there.pk), "4711")
    }  # fmt: skip
    assert api.get(f"/log/records/{make_log(flow).pk}").json()["known_as"] == []


def test_ids_of_a_record_that_is_not_the_keys_to_see_stay_unsaid(
    api: ApiClient, bound: ApiClient, flow: Flow, foreign: Flow
) -> None:
    record = CanonicalRecord.objects.create(
        customer=foreign.customer, environment=foreign.environment, entity="project", created_at=START, changed_at=START
    )
    CrossReference.objects.create(
        record=record, connection=make_connection(foreign.customer), object_name="projects", external_id="P-1"
    )
    log = make_log(flow, record_id=record.pk)

    assert [row["external_id"] for row in api.get(f"/log/records/{log.pk}").json()["known_as"]] == ["P-1"]
    assert bound.get(f"/log/records/{log.pk}").json()["known_as"] == []


def test_calls_are_searched(api: ApiClient, flow: Flow) -> None:
    make_call(flow)
    broken = make_call(flow, status=503, error="Away")

    (row,) = api.get("/log/calls", answer="broken").json()["data"]

    assert (row["id"], row["status"], row["error"]) == (broken.pk, 503, "Away")
    assert api.get(f"/log/calls/{broken.pk}").json() == row


def test_a_bound_key_sees_only_its_customer(bound: ApiClient, flow: Flow, foreign: Flow) -> None:
    own, theirs = make_log(flow), make_log(foreign)
    call = make_call(foreign)

    assert [row["id"] for row in bound.get("/log/records").json()["data"]] == [own.pk]
    assert bound.get(f"/log/records/{theirs.pk}").status_code == 404
    assert bound.get("/log/calls").json()["data"] == []
    assert bound.get(f"/log/calls/{call.pk}").status_code == 404


def test_an_export_is_asked_for_watched_and_fetched(api: ApiClient, flow: Flow, now: datetime) -> None:
    make_log(flow, action="failed", title="Wanted")
    make_log(flow, title="Unwanted")
    body = {
        "kind": "records",
        "format": "csv",
        "actions": ["failed"],
        "customers": [encode_id("cus", flow.customer_id)],
    }

    answer = api.post("/log/exports", body, key="once")
    again = api.post("/log/exports", body, key="once")

    assert (answer.status_code, answer.json()) == (202, again.json())
    export = LogExport.objects.get()
    path = f"/log/exports/{encode_id('exp', export.pk)}"
    assert api.get(path).json()["status"] == "queued"
    assert api.get(f"{path}/file").status_code == 404
    make_export(export_id=export.pk, now=lambda: now)
    ready = api.get(path).json()
    assert (ready["status"], ready["total"], ready["done_count"]) == ("ready", 1, 1)
    lines = b"".join(api.get(f"{path}/file").streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert "Wanted" in lines[1]
    assert [row["id"] for row in api.get("/log/exports").json()["data"]] == [ready["id"]]


def test_an_export_is_stopped(api: ApiClient, flow: Flow) -> None:
    made = api.post("/log/exports", {"kind": "runs"}).json()

    assert api.post(f"/log/exports/{made['id']}/cancel").json()["status"] == "canceled"
    assert api.post(f"/log/exports/{made['id']}/cancel").status_code == 409


def test_another_customers_export_is_not_there(api: ApiClient, bound: ApiClient, flow: Flow) -> None:
    partners = api.post("/log/exports", {"kind": "calls"}).json()

    assert bound.get(f"/log/exports/{partners['id']}").status_code == 404
    assert bound.get("/log/exports").json()["data"] == []
    assert bound.post(f"/log/exports/{partners['id']}/cancel").status_code == 404
    assert LogExport.objects.get().status == "queued"


def test_states_are_those_of_the_kind(api: ApiClient, flow: Flow) -> None:
    assert api.post("/log/exports", {"kind": "calls", "states": ["broken"]}).status_code == 202
    assert api.post("/log/exports", {"kind": "runs", "states": ["broken"]}).status_code == 400
