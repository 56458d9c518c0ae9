"""Calls beside the run: the next page is read while one is worked on, several batches are under way at once.

Threads that should meet wait for each other; where they never do, the wait ends by failing the test.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connections
from msgspec import structs

from apps.connectors import registry
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.errors import TransientError
from apps.connectors.sdk.manifest import SinkSpec
from apps.connectors.services import calls_at_once, may_call_beside, opening
from apps.flows.models import Flow
from apps.sync.engine import write
from apps.sync.engine.page import StreamReader
from apps.sync.models import RecordLog, RunStatus, VendorCall, WriteIntent
from tests.sync import fake_vendor
from tests.sync.conftest import call_beside, run_flow
from tests.sync.test_crashes import Killed, mortal, run_through
from tests.sync.test_written_as_read import COUNT, arrived, assert_each_arrived_once, flow, name_of

__all__ = ["flow", "mortal"]
AT_ONCE, LONGEST_WAIT = 3, 20


@pytest.fixture(autouse=True)
def with_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    call_beside(monkeypatch, AT_ONCE)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, threading.Thread, Connector]]:
    """What was written where and by whom, in the order of the answers."""
    found: list[tuple[str, threading.Thread, Connector]] = []
    original = fake_vendor.FakeSink.write

    def note(self: Any, requests: Any) -> Any:
        results = original(self, requests)
        found.extend((r.payload["name"], threading.current_thread(), self.connector) for r in requests)
        return results

    monkeypatch.setattr(fake_vendor.FakeSink, "write", note)
    return found


def test_so_many_calls_are_under_way_at_once(flow: Flow, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(AT_ONCE, timeout=LONGEST_WAIT)
    original, calls = fake_vendor.FakeSink.write, []

    def meet(self: Any, requests: Any) -> Any:
        calls.append(threading.current_thread())
        if len(calls) in range(2, 2 + AT_ONCE):  # the first call of a run is made alone
            meeting.wait()
        return original(self, requests)

    monkeypatch.setattr(fake_vendor.FakeSink, "write", meet)
    run = run_flow(flow, now)

    assert (run.status, run.error_message, meeting.broken) == (RunStatus.SUCCEEDED, "", False)
    assert threading.main_thread() is calls[0]
    assert threading.main_thread() not in calls[1 : 1 + AT_ONCE]
    assert_each_arrived_once()


def test_each_thread_has_a_conversation_of_its_own_and_no_database(
    flow: Flow, now: Any, writes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[threading.Thread] = []
    kind = type(connections["default"])
    original = kind.connect
    monkeypatch.setattr(kind, "connect", lambda self: (opened.append(threading.current_thread()), original(self))[1])

    run = run_flow(flow, now)

    talks = {(thread, id(connector)) for _, thread, connector in writes}
    assert len({connector for _, connector in talks}) == AT_ONCE
    assert opened == []
    assert run.call_count == VendorCall.objects.count() == COUNT + 3  # three pages


def test_the_next_page_is_read_while_one_is_written(flow: Flow, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    is_read, reads, met = threading.Event(), [], []
    original_called, original_write = fake_vendor.FakeConnector.called, fake_vendor.FakeSink.write

    def called(self: Any, method: str, kind: str) -> None:
        original_called(self, method, kind)
        reads.extend([kind] if method == "GET" else [])
        if len(reads) == 2:
            is_read.set()

    def wait(self: Any, requests: Any) -> Any:
        met.append(is_read.wait(LONGEST_WAIT))
        return original_write(self, requests)

    monkeypatch.setattr(fake_vendor.FakeConnector, "called", called)
    monkeypatch.setattr(fake_vendor.FakeSink, "write", wait)
    run_flow(flow, now)

    assert met == [True] * COUNT
    assert_each_arrived_once()


def test_one_of_several_fails_and_the_others_stay(flow: Flow, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original, failing = fake_vendor.FakeSink._write, {name_of(3): 1, name_of(12): 2}

    def fail(self: Any, request: Any) -> Any:
        name = request.payload["name"]
        before, failing[name] = failing.get(name, 0), 0
        if before == 1:
            raise TransientError("reset")
        result = original(self, request)
        if before == 2:
            raise TransientError("timeout")
        return result

    monkeypatch.setattr(fake_vendor.FakeSink, "_write", fail)
    run = run_flow(flow, now)

    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    assert_each_arrived_once()


def test_a_page_that_cannot_be_read_ahead_is_read_again(flow: Flow, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original, reads = fake_vendor.FakeConnector.called, []

    def called(self: Any, method: str, kind: str) -> None:
        original(self, method, kind)
        reads.extend([kind] if method == "GET" else [])
        if len(reads) == 2 and method == "GET":
            raise TransientError("502")

    monkeypatch.setattr(fake_vendor.FakeConnector, "called", called)
    run = run_flow(flow, now)

    assert (run.status, run.read_count, len(reads)) == (RunStatus.SUCCEEDED, COUNT, 4)
    assert_each_arrived_once()


def test_writes_of_a_sink_that_does_not_allow_it_never_overlap(
    flow: Flow, now: Any, writes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = registry.connectors()["fake_erp"]
    sinks = tuple(structs.replace(sink, overlaps=False) for sink in kind.manifest.sinks)
    monkeypatch.setattr(kind, "manifest", structs.replace(kind.manifest, sinks=sinks))

    run_flow(flow, now)

    assert {thread for _, thread, _ in writes} == {threading.main_thread()}
    assert_each_arrived_once()


def test_objects_that_refer_to_others_overlap_only_where_their_sink_says_so() -> None:
    spec = SinkSpec(name="x", label="X", entity="contact", stream="x", refs={"account": "y"})

    assert [structs.replace(spec, overlaps=given).may_overlap for given in (None, True, False)] == [False, True, False]
    assert structs.replace(spec, refs={}).may_overlap is True


@pytest.mark.parametrize(
    ("point", "time"), [("page_written", 2), ("page_committed", 2), ("vendor_called", 5), ("confirm_written", 3)]
)
def test_killed_with_calls_under_way(flow: Flow, mortal: Any, now: Any, point: str, time: int) -> None:
    mortal(point, time)

    assert run_through(flow, now) == 1

    assert_each_arrived_once()


def test_who_is_killed_leaves_sent_what_was_under_way(flow: Flow, mortal: Any, now: Any, writes: list[Any]) -> None:
    mortal("vendor_called", 3)

    with pytest.raises(Killed):
        run_flow(flow, now)

    # The first was confirmed alone; of the next three one was answered and two were under way.
    assert WriteIntent.objects.filter(status="sent").count() == AT_ONCE
    assert len(writes) == len(arrived()) == 1 + AT_ONCE
    assert RecordLog.objects.filter(direction="write").count() == 1


@pytest.fixture
def flying(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page writes is called while the next one, read meanwhile, is taken over."""
    monkeypatch.setattr(write, "may_call_beside", lambda vendor: True)
    monkeypatch.setattr(Future, "done", lambda self: True)  # nobody minds waiting for the page


def test_a_page_is_taken_over_while_the_one_before_is_written(
    flow: Flow, now: Any, flying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, met, calls = threading.Event(), [], []
    original_take, original_write = StreamReader.take, fake_vendor.FakeSink.write

    def take(self: Any, records: Any, checkpoint: Any) -> Any:
        result = original_take(self, records, checkpoint)
        if checkpoint == {"after": COUNT}:
            taken.set()
        return result

    def wait(self: Any, requests: Any) -> Any:
        calls.append(threading.current_thread())
        if len(calls) in range(2, 2 + AT_ONCE):  # of the second page
            met.append(taken.wait(LONGEST_WAIT))
        return original_write(self, requests)

    monkeypatch.setattr(StreamReader, "take", take)
    monkeypatch.setattr(fake_vendor.FakeSink, "write", wait)
    run = run_flow(flow, now)

    assert (run.status, run.created_count, met) == (RunStatus.SUCCEEDED, 2 * COUNT, [True] * AT_ONCE)
    assert_each_arrived_once()


def test_what_the_next_page_writes_waits_until_a_failed_call_is_settled(
    flow: Flow, now: Any, flying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, failing = fake_vendor.FakeSink._write, {name_of(11)}
    order: list[str] = []

    def fail(self: Any, request: Any) -> Any:
        name = request.payload["name"]
        order.append(name)
        result = original(self, request)
        if name in failing:
            failing.clear()
            raise TransientError("timeout")
        return result

    monkeypatch.setattr(fake_vendor.FakeSink, "_write", fail)
    run = run_flow(flow, now)

    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    assert order.index(name_of(1)) < order.index(name_of(20))  # planned earlier, and planned again
    assert_each_arrived_once()


@pytest.mark.parametrize("is_read_from", [False, True])
def test_a_system_that_is_read_from_is_not_written_to_meanwhile(
    monkeypatch: pytest.MonkeyPatch, flying: None, is_read_from: bool
) -> None:
    system = Mock()
    context: Any = Mock(active=system if is_read_from else Mock(), system_of=lambda connection_id: system)
    sender, done = write.Sender(context), []
    sender._size = 1
    monkeypatch.setattr(sender, "_launch", lambda window: done.append("beside"))
    monkeypatch.setattr(sender, "_send", lambda window, is_last: done.append("here"))

    sender.send_at_once([Mock()])

    assert done == ["here" if is_read_from else "beside"]


@pytest.mark.parametrize(
    "point", ["page_written", "page_committed", "intents_sent", "vendor_called", "confirm_written"]
)
def test_killed_while_a_page_is_on_its_way(flow: Flow, mortal: Any, now: Any, flying: None, point: str) -> None:
    mortal(point, 3)

    assert run_through(flow, now) == 1

    assert_each_arrived_once()


def test_a_vendor_is_asked_at_once_only_as_its_manifest_and_the_books_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening.budget, "redis_url", lambda: "")
    assert (may_call_beside("fake_erp"), calls_at_once("fake_erp")) == (False, 1)

    monkeypatch.setattr(opening.budget, "redis_url", lambda: "redis://localhost")

    assert [calls_at_once(key) for key in ("fake_erp", "salesforce", "jira", "odoo")] == [4, 4, 2, 1]
    assert may_call_beside("odoo") is True
