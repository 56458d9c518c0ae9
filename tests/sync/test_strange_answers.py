"""Systems that answer about another object, or tell one thing twice: nothing wrong, nothing lost, and told at the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from apps.canonical.models import CanonicalRecord, CrossReference
from apps.connectors.sdk.types import SourceRecord, WriteRequest, WriteResult
from apps.sync.models import ErrorClass, IntentStatus, RecordFailure, RunStatus, WriteIntent
from apps.sync.selectors import explain_failure
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import FakeSink, FakeStream, record, vendor


@pytest.fixture
def flow(deploy: Any) -> Any:
    """Two won deals of two companies."""
    crm = vendor("crm")
    for number, name in (("1", "Vulcan Industries"), ("2", "Idle Inc")):
        crm.put("companies", f"c{number}", name=name, domain=f"{number}.example")
        crm.put("deals", f"d{number}", name=f"Rollout {number}", stage="won", company=f"c{number}")
    return flow_of(deploy("opportunity-to-project"))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the ERP carry writes of parties out, and answer with what `tell` makes of the object."""

    def arrange(tell: Callable[[dict[str, Any]], dict[str, Any]], *, is_create: bool) -> None:
        own = FakeSink._write

        def write(self: FakeSink, request: WriteRequest) -> WriteResult:
            result = own(self, request)
            if self.kind != "parties" or (request.external_id is None) is not is_create or not result.record:
                return result
            return WriteResult(key=request.key, record=record(tell({**result.record.data, "modified": 50})))

        monkeypatch.setattr(FakeSink, "_write", write)

    return arrange


def references() -> set[tuple[str, str, str]]:
    rows = CrossReference.objects.filter(object_name__in=["companies", "parties"])
    return set(rows.values_list("record__title", "object_name", "external_id"))


COMPANIES = {("Vulcan Industries", "companies", "c1"), ("Idle Inc", "companies", "c2")}


def test_one_id_for_two_creates_makes_two_companies_no_one(
    flow: Any, answers: Callable[..., None], now: datetime
) -> None:
    vendor("crm").put("deals", "d2", stage="open")
    run_flow(flow, now)
    answers(lambda data: {**data, "id": "par1"}, is_create=True)
    vendor("crm").put("deals", "d2", stage="won")

    run = run_flow(flow, now)

    assert (run.status, references()) == (RunStatus.PARTIAL, {*COMPANIES, ("Vulcan Industries", "parties", "par1")})
    failure = RecordFailure.objects.get(object_name="parties")
    assert (failure.error_class, failure.record_title) == (ErrorClass.UNCERTAIN, "Idle Inc")
    cause = "Fake Erp answered with the id par1, which is “Vulcan Industries”. Nothing was taken over from it."
    assert explain_failure(failure).cause == cause
    assert vendor("erp").objects["projects"].keys() == {"pro2"}


def test_one_id_for_two_creates_of_one_call_stops_no_run(
    flow: Any, answers: Callable[..., None], now: datetime
) -> None:
    answers(lambda data: {**data, "id": "P1"}, is_create=True)

    runs = [run_flow(flow, now) for _ in range(2)]

    assert runs[0].status == RunStatus.PARTIAL
    told = RecordFailure.objects.filter(object_name="parties").values_list("message", flat=True)
    assert set(told) == {"Fake Erp answered with one id, P1, for several records."}
    # Nothing is sent again before a person looked; what was made is found by its own reading.
    assert len(vendor("erp").all("parties")) == 2
    assert set(WriteIntent.objects.filter(object_name="parties").values_list("status", flat=True)) == {
        IntentStatus.UNCERTAIN
    }
    assert CanonicalRecord.objects.filter(entity="account").count() == 2


def test_a_read_back_of_something_else_is_taken_over_by_nobody(
    flow: Any, answers: Callable[..., None], now: datetime
) -> None:
    run_flow(flow, now)
    answers(lambda data: {**vendor("erp").objects["parties"]["par2"], "phone": "1"}, is_create=False)
    vendor("crm").put("companies", "c1", name="Vulcan", email="a@vulcan.example")

    run = run_flow(flow, now)

    assert run.failed_count == 1
    failure = RecordFailure.objects.get()
    assert (failure.error_class, failure.record_title) == (ErrorClass.VALIDATION, "Vulcan")
    assert failure.message == "Fake Erp answered with the id par2, which is “Idle Inc”."
    assert CanonicalRecord.objects.get(title="Vulcan").data["name"] == "Vulcan"
    assert not CanonicalRecord.objects.filter(data__phone="1").exists()


@pytest.mark.parametrize(("given", "is_told"), [("par1", False), (" PAR1 ", False), ("par9", True)])
def test_a_record_that_changes_its_id_is_told(
    flow: Any, answers: Callable[..., None], now: datetime, given: str, is_told: bool
) -> None:
    run_flow(flow, now)
    answers(lambda data: {**data, "id": given}, is_create=False)
    vendor("crm").put("companies", "c1", email="a@vulcan.example")

    run_flow(flow, now)

    told = list(RecordFailure.objects.values_list("message", flat=True))
    assert told == (["Fake Erp answered with the id par9, not of par1."] if is_told else [])
    assert ("Vulcan Industries", "parties", "par1") in references()


def test_another_object_for_one_that_is_referred_to_is_told(
    flow: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = record(vendor("crm").objects["companies"].pop("c1"))
    vendor("crm").put("companies", "c2")
    answer = msgspec.structs.replace(other, external_id="c9")
    own = FakeStream.get
    monkeypatch.setattr(FakeStream, "get", lambda self, key: answer if key == "c1" else own(self, key))

    run_flow(flow, now)

    failure = RecordFailure.objects.get()
    assert (failure.error_class, failure.external_id) == (ErrorClass.MISSING_REFERENCE, "d1")
    assert [project["name"] for project in vendor("erp").all("projects")] == ["Rollout 2"]


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_a_record_twice_in_a_page_the_newer_counts(
    flow: Any, now: datetime, monkeypatch: pytest.MonkeyPatch, newest_first: bool
) -> None:
    own = FakeStream.read

    def read(self: FakeStream, *, checkpoint: Any, page_size: int = 100) -> Any:
        for page in own(self, checkpoint=checkpoint, page_size=page_size):
            twice = [_older(found) for found in page.records]
            both = [*page.records, *twice] if newest_first else [*twice, *page.records]
            yield msgspec.structs.replace(page, records=both)

    monkeypatch.setattr(FakeStream, "read", read)

    run_flow(flow, now)

    assert sorted(party["name"] for party in vendor("erp").all("parties")) == ["Idle Inc", "Vulcan Industries"]


def _older(found: SourceRecord) -> SourceRecord:
    assert found.modified_at is not None
    return msgspec.structs.replace(
        found, data={**found.data, "name": "Old"}, modified_at=found.modified_at - timedelta(seconds=1)
    )


def test_a_stamp_at_the_end_of_time_hides_no_later_edit(
    flow: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_flow(flow, now)
    CrossReference.objects.filter(external_id="c1").update(source_modified_at=datetime(9999, 12, 31, tzinfo=UTC))
    vendor("crm").put("companies", "c1", name="Vulcan")

    run_flow(flow, now)

    assert {party["name"] for party in vendor("erp").all("parties")} == {"Idle Inc", "Vulcan"}
