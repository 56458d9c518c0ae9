"""Nothing is silently lost: time that is edited or deleted after it was invoiced is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.sync.models import FailureStatus, RecordFailure, RunStatus
from apps.sync.selectors import explain_failure
from apps.sync.services import retry_failure
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.test_time_to_invoice import SETTINGS, book, seed_time


@pytest.fixture
def flow(deploy, now):
    seed_time()
    flow = flow_of(deploy("time-to-invoice", SETTINGS))
    assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    return flow


def failures() -> list[tuple[str, str]]:
    return list(RecordFailure.objects.filter(object_name="invoiced time").values_list("status", "message"))


def test_edited_hours_are_told_and_the_invoice_stays(flow, now):
    before = vendor("billing").all("bills")
    book("h1", 7200, "u1")

    run = run_flow(flow, now + timedelta(minutes=1))

    assert run.status == RunStatus.SUCCEEDED
    message = "This time is on an invoice and was changed: duration 1.5 h → 2 h. The invoice stays as it is."
    assert failures() == [("open", message)]
    assert "credit note" in explain_failure(RecordFailure.objects.get()).next_step
    assert vendor("billing").all("bills") == before


def test_it_stays_open_until_the_entry_is_as_invoiced(flow, now):
    book("h1", 7200, "u1")
    run_flow(flow, now + timedelta(minutes=1))
    run_flow(flow, now + timedelta(minutes=2))
    book("h1", 9000, "u1", billable=False)
    run_flow(flow, now + timedelta(minutes=3))
    assert failures() == [
        ("open", "This time is on an invoice and was changed: billable yes → no, duration 1.5 h → 2.5 h. The invoice stays as it is."),
    ]  # fmt: skip

    book("h1", 5400, "u1")
    run_flow(flow, now + timedelta(minutes=4))

    assert [status for status, _ in failures()] == [FailureStatus.RESOLVED]


def test_trying_again_does_not_make_it_go_away(flow, now, owner_actor):
    book("h1", 7200, "u1")
    run_flow(flow, now + timedelta(minutes=1))

    retry_failure(actor=owner_actor, now=now, failure=RecordFailure.objects.get())
    run_flow(flow, now + timedelta(minutes=2))

    assert [status for status, _ in failures()] == ["open"]
    assert RecordFailure.objects.get().attempts == 2


def test_deleted_time_is_told(flow, now):
    vendor("delivery").put("hours", "h1", deleted=True)

    run_flow(flow, now + timedelta(minutes=1))

    assert failures() == [("open", "This time is on an invoice and was deleted. The invoice stays as it is.")]


def test_time_that_is_on_no_invoice_may_change(flow, now):
    book("h4", 7200, "u1", status="submitted")
    vendor("delivery").put("hours", "h1", description="Clearer words")

    assert run_flow(flow, now + timedelta(minutes=1)).status == RunStatus.SUCCEEDED
    assert failures() == []
