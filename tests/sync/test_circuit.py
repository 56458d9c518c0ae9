"""The circuit breaker: a system that keeps failing is left alone, and tried out by one worker for all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.connectors.models import Connection
from apps.connectors.sdk.errors import ConfigurationError, RateLimited, TransientError
from apps.connectors.services import CircuitOpen, check_connection, note_circuit_failure, pass_circuit
from apps.connectors.services.circuit import FIRST_WAIT, LONGEST_WAIT, OPENS_AFTER, PROBE_LEASE
from apps.core.clock import moved_clock
from apps.events.models import OutboxEvent
from apps.sync.models import HeldBy, RunStatus, SyncRun
from apps.sync.services import run_due_flow, wake_runs
from tests.sync import fake_vendor
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.test_opportunity_to_project import seed_won_deal
from tests.sync.test_running import due

DOWN = TransientError("503 Service Unavailable")


@pytest.fixture
def flow(deploy):
    seed_won_deal()
    return flow_of(deploy("opportunity-to-project"))


@pytest.fixture
def crm(systems):
    return systems["crm"]


def fail(connection, now, times=1):
    until = None
    for _ in range(times):
        # Every worker has a copy of its own.
        until = note_circuit_failure(Connection.objects.get(pk=connection.pk), DOWN, now)
    return until


def state(connection, now):
    return Connection.objects.get(pk=connection.pk).circuit_state(now)


def told():
    return list(OutboxEvent.objects.filter(type__contains="circuit").order_by("id").values_list("type", flat=True))


def test_it_opens_after_failures_in_a_row_over_all_workers(crm, now):
    assert fail(crm, now, OPENS_AFTER - 1) is None
    assert state(crm, now) == "closed"

    assert fail(crm, now) == now + FIRST_WAIT
    assert state(crm, now) == "open"
    crm.refresh_from_db()
    assert (crm.status, crm.status_reason) == (
        "degraded", "It failed 5 times in a row: 503 Service Unavailable",
    )  # fmt: skip
    with pytest.raises(CircuitOpen):
        pass_circuit(crm, now)
    assert told() == ["connectors.connection.circuit_opened"]


def test_refusals_and_rate_limits_are_no_failures(crm, now):
    for error in (RateLimited("Slow", retry_after=1), ConfigurationError("Revoked")):
        for _ in range(OPENS_AFTER):
            assert note_circuit_failure(crm, error, now) is None
    assert state(crm, now) == "closed"


def test_one_worker_tries_it_out_and_closes_it(crm, now, monkeypatch):
    fail(crm, now, OPENS_AFTER)
    later = now + FIRST_WAIT
    assert state(crm, later) == "half_open"
    one, other = Connection.objects.get(pk=crm.pk), Connection.objects.get(pk=crm.pk)
    original = fake_vendor.FakeConnector.check

    def meanwhile(self):
        with pytest.raises(CircuitOpen) as caught:
            pass_circuit(other, later)
        assert caught.value.until == later + PROBE_LEASE
        return original(self)

    monkeypatch.setattr(fake_vendor.FakeConnector, "check", meanwhile)
    pass_circuit(one, later)

    crm.refresh_from_db()
    assert (crm.circuit_state(later), crm.circuit_failures, crm.status) == ("closed", 0, "active")
    assert told()[-1] == "connectors.connection.circuit_closed"


def test_a_failed_trial_opens_it_for_longer_but_never_for_too_long(crm, now, monkeypatch):
    def down(self):
        raise DOWN

    monkeypatch.setattr(fake_vendor.FakeConnector, "check", down)
    at, waits = fail(crm, now, OPENS_AFTER), []
    for _ in range(7):
        with pytest.raises(CircuitOpen) as caught:
            pass_circuit(Connection.objects.get(pk=crm.pk), at)
        waits.append((caught.value.until - at).total_seconds())
        at = caught.value.until

    assert waits == [60, 120, 240, 480, 900, 900, 900]
    assert timedelta(minutes=15) == LONGEST_WAIT
    assert told() == ["connectors.connection.circuit_opened"]


def test_a_trial_that_needs_a_person_ends_the_waiting(crm, now, monkeypatch):
    def revoked(self):
        raise ConfigurationError("The token was revoked.")

    monkeypatch.setattr(fake_vendor.FakeConnector, "check", revoked)
    fail(crm, now, OPENS_AFTER)
    crm.refresh_from_db()
    with pytest.raises(ConfigurationError):
        pass_circuit(crm, now + FIRST_WAIT)

    crm.refresh_from_db()
    assert (crm.status, crm.circuit_state(now)) == ("needs_reauthorization", "closed")


def test_a_check_that_passes_closes_it(crm, owner_actor, now):
    fail(crm, now, OPENS_AFTER)

    check_connection(actor=owner_actor, now=now, connection=Connection.objects.get(pk=crm.pk))

    assert state(crm, now) == "closed"


def test_a_run_waits_instead_of_failing_and_goes_on(flow, crm, now):
    fail(crm, now, OPENS_AFTER - 1)
    vendor("crm").read_failures.append(DOWN)

    run = run_flow(flow, now)

    assert (run.status, run.held_by, run.resume_at) == (RunStatus.QUEUED, HeldBy.CIRCUIT, now + FIRST_WAIT)
    assert run.error_message == "CRM does not answer. It is left alone for a while; the run goes on where it stopped."
    waiting = run_flow(flow, now)
    assert (waiting.pk, waiting.held_by, waiting.call_count) == (run.pk, HeldBy.CIRCUIT, run.call_count)

    done = run_flow(flow, now + FIRST_WAIT)
    assert (done.pk, done.status, done.held_by, done.error_message) == (run.pk, RunStatus.SUCCEEDED, "", "")
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout"]


def test_a_success_forgets_the_failures(flow, crm, now):
    fail(crm, now, OPENS_AFTER - 1)

    assert run_flow(flow, now).status == RunStatus.SUCCEEDED

    crm.refresh_from_db()
    assert crm.circuit_failures == 0


def test_who_waits_is_woken_when_it_closes(flow, crm, now, owner_actor):
    from apps.flows.services import go_live

    go_live(actor=owner_actor, now=now, integration=flow.integration)
    fail(crm, now, OPENS_AFTER)
    with moved_clock(now):
        assert run_due_flow(flow_id=flow.pk, now=now).held_by == HeldBy.CIRCUIT
    assert due(flow).due_at == now + FIRST_WAIT

    check_connection(actor=owner_actor, now=now, connection=Connection.objects.get(pk=crm.pk))
    assert wake_runs(connection_id=crm.pk, now=now) == 1

    assert due(flow).due_at == now
    assert SyncRun.objects.get().held_by == ""
