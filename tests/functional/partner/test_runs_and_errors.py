"""Looking into runs, and working off the error desk."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from django.test import Client
from django.urls import reverse

from apps.flows.models import Flow
from apps.sync.models import FailureRetry, FailureStatus, RecordFailure, RunStatus, SyncRun
from apps.sync.services import carry_out_retry
from tests.factories.delivery import make_flow, make_run
from tests.factories.logs import make_log
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene, make_failure


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def listed(response: object) -> list[str]:
    return [row.key for row in response.context["table"].rows]  # type: ignore[attr-defined]


def test_runs_are_filtered_by_state_and_found_by_id(owner: Client, scene: Scene) -> None:
    failed = make_run(scene.flow, status=RunStatus.FAILED, error_message="Tryton was away")
    runs = address("runs")

    assert listed(owner.get(runs)) == [str(failed.pk), str(scene.run.pk)]
    assert listed(owner.get(runs, {"state": "failed"})) == [str(failed.pk)]
    assert listed(owner.get(runs, {"q": str(scene.run.pk)})) == [str(scene.run.pk)]
    assert listed(owner.get(runs, {"q": "tryton was"})) == [str(failed.pk)]
    assert listed(owner.get(runs, {"customer": str(uuid4())})) == [str(failed.pk), str(scene.run.pk)]


def test_only_the_rows_are_sent_to_a_filter(owner: Client, scene: Scene) -> None:
    response = owner.get(address("runs"), headers={"HX-Request": "true"})

    assert "<html" not in response.content.decode()
    assert response["Vary"].count("HX-Request") == 1


def test_a_thousand_runs_are_paged(owner: Client, scene: Scene) -> None:
    flow = make_flow(scene.customer)
    for _ in range(60):
        make_run(flow)

    first = owner.get(address("runs"))
    second = owner.get(first.context["page"].next_url)

    assert (len(listed(first)), len(listed(second))) == (50, 11)
    assert set(listed(first)) & set(listed(second)) == set()


def test_a_file_of_runs_does_not_run_formulas(owner: Client, scene: Scene) -> None:
    Flow.objects.filter(pk=scene.flow.pk).update(name="=HYPERLINK(1)")

    text = owner.get(address("runs"), {"format": "csv"}).content.decode()

    assert text.splitlines()[1].startswith("'=HYPERLINK(1),Northwind Advisory,")


def test_a_run_shows_its_counts_steps_records_and_calls(owner: Client, scene: Scene) -> None:
    response = owner.get(address("run", scene.run.pk))

    (log, system, diff, action, _, latency), *rest = response.context["rows"]
    assert rest == []
    assert (log.title, system) == ("Claims platform", "Tryton of Northwind Advisory")
    assert (action.label, latency) == ("Updated", 42)
    assert diff == ({"name": "Claims"}, {"name": "Claims platform"})
    assert [step.label for step, _ in response.context["steps"]] == ["Read deals"]
    assert len(response.context["calls"].rows) == 1
    assert response.context["poll_url"] == ""


def test_what_came_in_is_told_apart_from_what_was_written(owner: Client, scene: Scene) -> None:
    run = make_run(scene.flow, created_count=3, updated_count=2)
    for direction, action in (
        ("read", "created"), ("read", "created"), ("read", "updated"), ("write", "created"), ("write", "deleted"),
        ("read", "failed"),
    ):  # fmt: skip
        make_log(scene.flow, run=run, direction=direction, action=action)

    page = owner.get(address("run", run.pk))

    found = (page.context["came_in"], page.context["written"])
    assert found == ("2 new · 1 changed", "1 created · 1 updated")
    assert {action.label for _, _, _, action, *_ in page.context["rows"]} == {
        "Came in new", "Came in changed", "Created", "Deleted", "Failed",
    }  # fmt: skip


def test_a_run_whose_log_is_cleared_tells_both_together(owner: Client, scene: Scene) -> None:
    run = make_run(scene.flow, created_count=3, updated_count=2)
    make_log(scene.flow, run=run, direction="read", action="created")

    page = owner.get(address("run", run.pk))

    assert page.context["changes"] is None
    assert page.content.decode().count("came in or written") == 2


def test_payloads_are_kept_from_roles_without_the_right(viewer: Client, scene: Scene) -> None:
    response = viewer.get(address("run", scene.run.pk))

    assert response.context["rows"][0][2] is None
    assert "Claims</" not in response.content.decode()


def test_an_active_run_is_watched_and_can_be_canceled(owner: Client, scene: Scene) -> None:
    run = make_run(scene.flow, status=RunStatus.RUNNING, finished_at=None)
    page = owner.get(address("run", run.pk))

    owner.post(address("run_cancel", run.pk))

    run.refresh_from_db()
    assert page.context["poll_url"] == address("run_progress", run.pk)
    assert run.cancel_requested_at is not None


def test_running_again_queues_a_run_and_leads_to_it(owner: Client, scene: Scene) -> None:
    response = owner.post(address("run_again", scene.run.pk))

    queued = SyncRun.objects.exclude(pk=scene.run.pk).get()
    assert (queued.flow_id, queued.trigger, queued.triggered_by_label) == (scene.flow.pk, "manual", "Owner")
    assert response["Location"] == address("run", queued.pk)


def test_a_viewer_starts_cancels_retries_and_ignores_nothing(viewer: Client, scene: Scene) -> None:
    refused = [
        viewer.post(address("run_again", scene.run.pk)).status_code,
        viewer.post(address("run_cancel", scene.run.pk)).status_code,
        viewer.post(address("flow_run", scene.flow.pk)).status_code,
        viewer.post(address("error_retry", scene.failure.pk)).status_code,
        viewer.post(address("error_group_retry", scene.failure.fingerprint)).status_code,
        viewer.post(address("error", scene.failure.pk), {"reason": "No"}).status_code,
    ]

    assert refused == [403] * 6
    assert SyncRun.objects.count() == 1
    assert set(RecordFailure.objects.values_list("status", flat=True)) == {FailureStatus.OPEN}


def test_failures_of_one_cause_are_one_line_with_cause_and_next_step(owner: Client, scene: Scene) -> None:
    other = make_failure(
        scene.run, scene.connections["crm"], scene.failure.last_at, 9, fingerprint="beef" * 8, message="No owner"
    )

    rows = owner.get(address("errors")).context["table"].rows

    found = {row.key: [cell.value for cell in row.cells][:2] for row in rows}
    assert found == {
        scene.failure.fingerprint: ["Tryton of Northwind Advisory refused the record: Party is required.", 2],
        other.fingerprint: ["Hubspot of Northwind Advisory refused the record: No owner.", 1],
    }


def test_retrying_a_group_tries_exactly_its_open_records(owner: Client, scene: Scene) -> None:
    settled = make_failure(scene.run, scene.connections["erp"], scene.failure.last_at, 5, status=FailureStatus.IGNORED)

    page = owner.get(address("error_group", scene.failure.fingerprint))
    response = owner.post(address("error_group_retry", scene.failure.fingerprint), follow=True)
    carry_out_retry(retry_id=FailureRetry.objects.get().pk, now=lambda: scene.failure.last_at)

    states = dict(RecordFailure.objects.values_list("record_title", "status"))
    assert page.context["open_count"] == 2
    assert states == {"Project 0": "retrying", "Project 1": "retrying", settled.record_title: "ignored"}
    assert "2 records will be tried again now" in response.content.decode()


def test_retrying_one(owner: Client, scene: Scene) -> None:
    owner.post(address("error_retry", scene.failure.pk))

    states = dict(RecordFailure.objects.values_list("record_title", "status"))
    assert states == {"Project 0": "retrying", "Project 1": "open"}


def test_ignoring_needs_a_reason(sign_in: SignIn, scene: Scene) -> None:
    support = sign_in("support")

    without = support.post(address("error", scene.failure.pk), {"reason": " "})
    scene.failure.refresh_from_db()
    assert (without.status_code, scene.failure.status) == (200, FailureStatus.OPEN)
    assert without.context["form"].errors["reason"] == ["This field is required."]

    support.post(address("error", scene.failure.pk), {"reason": "Test data"})
    scene.failure.refresh_from_db()
    assert (scene.failure.status, scene.failure.ignore_reason) == (FailureStatus.IGNORED, "Test data")


def test_a_cause_that_is_settled_leads_back_and_an_unknown_one_is_not_found(owner: Client, scene: Scene) -> None:
    RecordFailure.objects.update(status=FailureStatus.RESOLVED)

    assert owner.get(address("error_group", scene.failure.fingerprint))["Location"] == address("errors")
    assert owner.get(address("error_group", "0" * 32)).status_code == 404


def test_runs_are_filtered_by_error_kind_of_record_and_days(owner: Client, scene: Scene) -> None:
    late = datetime(2026, 10, 31, 22, 30, tzinfo=UTC)
    failed = make_run(scene.flow, at=late, status=RunStatus.FAILED, error_class="auth")
    make_log(scene.flow, run=failed, entity="invoice")

    def found(**asked: str) -> list[str]:
        return [row.key for row in owner.get(address("runs"), asked).context["table"].rows]

    assert found(error="auth") == found(entity="invoice") == [str(failed.pk)]
    assert found(**{"from": "2026-10-31", "to": "2026-10-31"}) == [str(failed.pk)]
    assert found(to="2026-10-30") == []
    assert found(**{"from": "0001-01-01", "to": "9999-12-31", "error": "auth"}) == [str(failed.pk)]
    filters = owner.get(address("runs"), {"from": "2026-10-31", "to": "someday"}).context["filters"]
    assert (filters.chips[-1].text, filters.clear_url) == ("from 2026-10-31", address("runs"))
