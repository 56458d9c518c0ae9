"""Starting and watching runs, reading what they did, within what the key may see."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.core.ids import encode_id
from apps.customers.models import Customer
from apps.dispatch.models import WorkItem
from apps.flows.models import Flow, IntegrationStatus
from apps.sync.models import RecordLog, RunStatus, RunStep, SyncRun
from tests.api.conftest import ApiClient
from tests.factories.delivery import START, make_connection, make_flow, make_run
from tests.factories.logs import make_log


@pytest.fixture
def flow(brightwater: Customer) -> Flow:
    return make_flow(brightwater)


def flow_id(flow: Flow) -> str:
    return encode_id("flw", flow.pk)


def test_a_run_is_queued_and_can_be_watched(api: ApiClient, flow: Flow) -> None:
    started = api.post("/runs", {"flow": flow_id(flow)})

    assert started.status_code == 202
    run = SyncRun.objects.get()
    assert (run.trigger, run.status, run.triggered_by_label) == ("api", RunStatus.QUEUED, "Robot (API key)")
    assert WorkItem.objects.filter(kind="sync.flow", key=str(flow.pk)).count() == 1
    watched = api.get(f"/runs/{started.json()['id']}").json()
    assert (watched["status"], watched["flow"]) == ("queued", flow_id(flow))


def test_a_paused_integration_starts_nothing(api: ApiClient, flow: Flow) -> None:
    flow.integration.status = IntegrationStatus.PAUSED
    flow.integration.save()

    response = api.post("/runs", {"flow": flow_id(flow)})

    assert response.status_code == 409
    assert SyncRun.objects.count() == 0


def test_a_strangers_flow_cannot_be_started(bound: ApiClient, stranger: Customer) -> None:
    response = bound.post("/runs", {"flow": flow_id(make_flow(stranger))})

    assert response.status_code == 404
    assert SyncRun.objects.count() == 0


def test_runs_of_others_are_not_listed(bound: ApiClient, flow: Flow, stranger: Customer) -> None:
    own = make_run(flow)
    foreign = make_run(make_flow(stranger))

    assert [row["id"] for row in bound.get("/runs").json()["data"]] == [encode_id("run", own.pk)]
    for path in (f"/runs/{encode_id('run', foreign.pk)}", f"/runs/{encode_id('run', foreign.pk)}/records"):
        assert bound.get(path).status_code == 404


def test_runs_are_filtered_by_status(api: ApiClient, flow: Flow) -> None:
    failed = make_run(flow, status=RunStatus.FAILED)
    make_run(flow)

    assert [row["id"] for row in api.get("/runs", status="failed").json()["data"]] == [encode_id("run", failed.pk)]
    assert api.get("/runs", status="great").status_code == 400


def test_the_records_of_a_run(api: ApiClient, flow: Flow, brightwater: Customer, now: datetime) -> None:
    run, connection = make_run(flow), make_connection(brightwater)
    RecordLog.objects.create(
        at=START, run_id=run.pk, customer_id=brightwater.pk, environment_id=flow.environment_id, flow_id=flow.pk,
        connection_id=connection.pk, direction="write", object_name="deals", entity="opportunity", action="updated",
        external_id="7", title="Harbor survey", changed_fields=["amount"], latency_ms=840,
    )  # fmt: skip

    (row,) = api.get(f"/runs/{encode_id('run', run.pk)}/records").json()["data"]

    assert (row["title"], row["action"], row["changed_fields"], row["latency_ms"]) == (
        "Harbor survey", "updated", ["amount"], 840,
    )  # fmt: skip
    assert row["connection"] == encode_id("con", connection.pk)


def test_a_queued_run_can_be_canceled(api: ApiClient, flow: Flow) -> None:
    started = api.post("/runs", {"flow": flow_id(flow)}).json()

    assert api.post(f"/runs/{started['id']}/cancel").status_code == 202
    assert SyncRun.objects.get().status == RunStatus.CANCELED
    assert api.post(f"/runs/{started['id']}/cancel").status_code == 409


def test_integrations_show_their_flows_and_systems(api: ApiClient, brightwater: Customer) -> None:
    connection = make_connection(brightwater)
    flow = make_flow(brightwater, connections=[connection])

    (row,) = api.get("/integrations").json()["data"]

    assert row["flows"][0]["id"] == flow_id(flow)
    assert row["roles"] == [{"role": "hubspot", "connection": encode_id("con", connection.pk)}]


def test_a_flow_that_its_template_no_longer_has_is_not_told(api: ApiClient, flow: Flow) -> None:
    path = f"/integrations/{encode_id('itg', flow.integration_id)}"
    assert [one["id"] for one in api.get(path).json()["flows"]] == [flow_id(flow)]

    Flow.objects.filter(pk=flow.pk).update(retired_at=flow.created_at)

    assert api.get(path).json()["flows"] == []
    assert [row["flows"] for row in api.get("/integrations").json()["data"]] == [[]]


def test_pausing_and_resuming_an_integration(api: ApiClient, flow: Flow) -> None:
    path = f"/integrations/{encode_id('itg', flow.integration_id)}"

    assert api.post(f"{path}/pause").json()["status"] == "paused"
    assert api.post(f"{path}/resume").json()["status"] == "live"


def test_entity_schemas_are_published(api: ApiClient) -> None:
    schema = api.get("/schemas/invoice").json()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$ref"] == "#/$defs/Invoice"
    assert schema["$defs"]["Invoice"]["required"] == ["status", "currency", "total"]


def test_a_stopped_run_is_continued(api: ApiClient, flow: Flow) -> None:
    run = make_run(flow, status=RunStatus.QUEUED, finished_at=None, held_by="guard", guard="records")
    shown = api.get(f"/runs/{encode_id('run', run.pk)}").json()
    assert (shown["held_by"], shown["guard"], shown["expected_count"]) == ("guard", "records", None)

    answer = api.post(f"/runs/{encode_id('run', run.pk)}/continue")

    assert (answer.status_code, answer.json()["held_by"]) == (202, "")
    assert api.post(f"/runs/{encode_id('run', run.pk)}/continue").status_code == 409


def test_a_period_is_read_again(api: ApiClient, flow: Flow) -> None:
    asked = {"flow": flow_id(flow), "read": "period", "first_day": "2026-10-01"}
    assert api.post("/runs", asked).status_code == 400

    answer = api.post("/runs", {**asked, "last_day": "2026-10-02"})

    assert (answer.status_code, answer.json()["trigger"]) == (202, "backfill")
    assert answer.json()["scope"]["from"] == "2026-10-01T00:00:00+00:00"


def test_limits_hold_for_all_customers(api: ApiClient, bound: ApiClient) -> None:
    assert api.get("/run-limits").json()["max_records"] == 2_000_000
    assert api.patch("/run-limits", {"max_records": 10, "per_connection": 1}).json()["per_connection"] == 1
    assert api.get("/run-limits").json()["max_records"] == 10
    assert api.patch("/run-limits", {"max_records": 0}).status_code == 409
    assert bound.patch("/run-limits", {"max_records": 11}).status_code == 403


def test_a_flow_is_paused_and_resumed(api: ApiClient, bound: ApiClient, flow: Flow, stranger: Customer) -> None:
    paused = api.post(f"/flows/{flow_id(flow)}/pause").json()
    assert (paused["is_enabled"], paused["paused_at"] is not None) == (False, True)
    assert api.post("/runs", {"flow": flow_id(flow)}).status_code == 409
    assert api.post(f"/flows/{flow_id(flow)}/resume").json()["paused_at"] is None
    assert bound.post(f"/flows/{flow_id(make_flow(stranger))}/pause").status_code == 404


def test_a_run_tells_its_version_speed_and_steps(api: ApiClient, flow: Flow) -> None:
    run = make_run(
        flow, finished_at=START + timedelta(seconds=20), read_count=50, byte_count=2048, skipped_count=3,
        triggered_by_label="Rosa",
    )  # fmt: skip
    for position, label, counts in ((2, "Write projects", {"created": 3}), (1, "Read deals", {"read": 50})):
        RunStep.objects.create(
            run=run, position=position, label=label, status="succeeded", started_at=START, counts=counts
        )

    shown = api.get(f"/runs/{encode_id('run', run.pk)}").json()

    assert (shown["version"], shown["triggered_by"], shown["byte_count"], shown["skipped_count"]) == (
        1,
        "Rosa",
        2048,
        3,
    )
    assert (shown["seconds"], shown["records_per_second"], shown["remaining_seconds"]) == (20.0, 2.5, None)
    assert [(step["label"], step["counts"]) for step in shown["steps"]] == [
        ("Read deals", {"read": 50}), ("Write projects", {"created": 3})
    ]  # fmt: skip


def test_runs_are_searched_as_in_the_explorer(api: ApiClient, flow: Flow, brightwater: Customer) -> None:
    failed = make_run(flow, status=RunStatus.FAILED, error_class="auth", trigger="webhook")
    other = make_run(make_flow(brightwater))
    make_log(flow, run=failed, entity="invoice")

    def found(**asked: object) -> list[str]:
        return [row["id"] for row in api.get("/runs", **asked).json()["data"]]

    (one, another) = (encode_id("run", run.pk) for run in (failed, other))
    assert found(flow=flow_id(flow)) == found(error_class="auth") == found(trigger="webhook") == [one]
    assert found(entity="invoice") == found(text=one) == [one]
    assert found(since="2100-01-01T00:00:00Z") == []
    assert found(status=["failed", "succeeded"]) == [another, one]
    assert api.get("/runs", trigger="magic").status_code == 400
