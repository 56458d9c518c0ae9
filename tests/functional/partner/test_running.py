"""Pages by which people continue what a guard stopped, hold flows, and have things read again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.connectors.models import Connection
from apps.core import clock
from apps.flows.models import Flow
from apps.sync.models import HeldBy, RunLimits, RunStatus, SyncRun
from tests.factories.delivery import make_run
from tests.functional.partner.scene import Scene

LIMITS = {"max_minutes": 30, "max_records": 5000, "max_failed_percent": 10, "drop_percent": 50, "per_customer": 2}


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


@pytest.fixture
def held(scene: Scene) -> SyncRun:
    return make_run(
        scene.flow, status=RunStatus.QUEUED, finished_at=None, held_by=HeldBy.GUARD, guard="records",
        error_message="It has read 50 records.",
    )  # fmt: skip


def test_a_stopped_run_says_why_and_goes_on_with_one_click(owner: Client, held: SyncRun) -> None:
    page = owner.get(address("run", held.pk)).content.decode()
    assert "A guard stopped this run" in page
    assert "It has read 50 records." in page
    assert "Stopped by a guard" in owner.get(address("runs")).content.decode()

    response = owner.post(address("run_continue", held.pk))

    assert response["Location"] == address("run", held.pk)
    held.refresh_from_db()
    assert (held.held_by, held.lifted_guards) == ("", ["records"])


def test_a_viewer_sees_it_and_continues_nothing(viewer: Client, held: SyncRun) -> None:
    assert "Continue anyway" not in viewer.get(address("run", held.pk)).content.decode()
    assert viewer.post(address("run_continue", held.pk)).status_code == 403
    assert viewer.post(address("flow_change", held.flow_id, "pause")).status_code == 403
    assert viewer.get(address("flow_read", held.flow_id)).status_code == 403
    assert viewer.get(address("run_limits")).status_code == 403


def test_a_run_tells_how_far_it_is(owner: Client, scene: Scene) -> None:
    run = make_run(scene.flow, status=RunStatus.RUNNING, finished_at=None)
    started = clock.now() - timedelta(seconds=100)
    SyncRun.objects.filter(pk=run.pk).update(read_count=4000, expected_count=10000, started_at=started)

    progress = owner.get(address("run", run.pk)).context["progress"]

    assert (progress.expected_count, progress.per_second, progress.eta_seconds) == (10000, 40.0, 150.0)


def test_a_flow_is_paused_and_resumed_by_itself(owner: Client, scene: Scene) -> None:
    Flow.objects.filter(pk=scene.flow.pk).update(is_enabled=True)
    integration = address("integration", scene.flow.integration_id)

    assert owner.post(address("flow_change", scene.flow.pk, "pause"))["Location"] == integration
    flow = Flow.objects.get(pk=scene.flow.pk)
    assert (flow.is_enabled, flow.paused_reason) == (False, "Paused by Owner.")
    owner.post(address("flow_change", scene.flow.pk, "resume"))
    assert Flow.objects.get(pk=scene.flow.pk).is_enabled
    assert owner.post(address("flow_change", scene.flow.pk, "nonsense")).status_code == 404


def test_limits_are_saved_and_nonsense_is_refused(owner: Client, scene: Scene) -> None:
    assert owner.post(address("run_limits"), {**LIMITS, "max_records": 0}).status_code == 200
    assert not RunLimits.objects.exists()

    assert owner.post(address("run_limits"), LIMITS)["Location"] == address("run_limits")
    saved = RunLimits.objects.get()
    assert (saved.max_records, saved.per_customer, saved.per_partner) == (5000, 2, None)


def test_everything_a_period_or_one_record_is_read_again(owner: Client, scene: Scene) -> None:
    page = owner.get(address("flow_read", scene.flow.pk), {"what": "record", "external_id": "77"})
    assert page.context["form"].initial == {"what": "record", "external_id": "77"}

    asked = {"what": "period", "first_day": "2026-10-01", "last_day": ""}
    assert owner.post(address("flow_read", scene.flow.pk), asked).context["form"].errors == {
        "last_day": ["Choose a day."]
    }
    response = owner.post(address("flow_read", scene.flow.pk), {**asked, "last_day": "2026-10-31"})
    run = SyncRun.objects.get(trigger="backfill")
    assert response["Location"] == address("run", run.pk)
    assert run.scope == {
        "kind": "period", "from": "2026-10-01T00:00:00+00:00", "to": "2026-10-31T00:00:00+00:00",
    }  # fmt: skip
    again = owner.post(address("flow_read", scene.flow.pk), {"what": "everything"})
    assert "under way or waits" in again.content.decode()


def test_a_connection_that_is_left_alone_says_so(owner: Client, scene: Scene) -> None:
    connection = Connection.objects.for_customer(scene.customer).first()
    Connection.objects.filter(pk=connection.pk).update(
        circuit_failures=7, circuit_opened_at=clock.now(), circuit_until=clock.now() + timedelta(minutes=1)
    )

    page = owner.get(address("connection", connection.pk)).content.decode()

    assert "Left alone for a while" in page
    assert "7 calls in a row failed" in page


def test_a_run_is_paused_and_resumed_from_its_own_page(owner: Client, scene: Scene) -> None:
    run = make_run(scene.flow, status=RunStatus.RUNNING, finished_at=None)

    before = owner.get(address("run", run.pk)).content.decode()
    paused = owner.post(address("flow_change", scene.flow.pk, "pause"), {"run": str(run.pk)})
    after = owner.get(address("run", run.pk)).content.decode()
    resumed = owner.post(address("flow_change", scene.flow.pk, "resume"), {"run": str(run.pk)})

    pause, resume = (address("flow_change", scene.flow.pk, change) for change in ("pause", "resume"))
    assert (pause in before, resume in before, pause in after, resume in after) == (True, False, False, True)
    assert paused["Location"] == resumed["Location"] == address("run", run.pk)
    assert Flow.objects.get(pk=scene.flow.pk).paused_at is None
