"""The five classes of errors, each with what the engine must do about it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited, RecordRejected, TransientError
from apps.connectors.sdk.manifest import Resolve
from apps.sync.models import Checkpoint, RecordFailure, RecordLog, RunStatus, WriteIntent
from apps.sync.selectors import explain_failure, group_failures
from apps.sync.services import ignore_failure, retry_failure
from tests.sync import fake_vendor
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.test_opportunity_to_project import seed_won_deal
from tests.sync.test_payment_status import seed_chain


@pytest.fixture
def flow(deploy):
    seed_won_deal()
    return flow_of(deploy("opportunity-to-project"))


def sink(monkeypatch, connector: str, name: str, **changes: object) -> None:
    """The connector's manifest, with its sink declared otherwise."""
    kind = fake_vendor.CONNECTORS[connector]
    sinks = tuple(msgspec.structs.replace(s, **changes) if s.name == name else s for s in kind.manifest.sinks)
    monkeypatch.setattr(kind, "manifest", msgspec.structs.replace(kind.manifest, sinks=sinks))


def test_a_refused_record_does_not_stop_the_others(flow, now):
    vendor("crm").put("deals", "d3", name="Second", stage="won", company="c2")
    vendor("erp").refusals["Forge rollout"] = RecordRejected("The name is taken.", code="DUPLICATE")

    run = run_flow(flow, now)

    assert (run.status, run.failed_count) == (RunStatus.PARTIAL, 1)
    failure = RecordFailure.objects.get()
    assert (failure.direction, failure.object_name, failure.code) == ("write", "projects", "DUPLICATE")
    assert (failure.error_class, failure.record_title) == ("validation", "Forge rollout")
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Second"]
    assert explain_failure(failure).cause == "ERP refused the record: The name is taken."
    flow.refresh_from_db()
    assert flow.in_step_until == now


def test_a_refused_record_is_retried_when_asked_and_resolved(flow, owner_actor, now):
    vendor("erp").refusals["Forge rollout"] = RecordRejected("The name is taken.")
    run_flow(flow, now)
    vendor("erp").refusals.clear()
    assert run_flow(flow, now).created_count == 0

    retry_failure(actor=owner_actor, now=now, failure=RecordFailure.objects.get())
    run = run_flow(flow, now)

    assert (run.status, run.trigger, run.created_count) == (RunStatus.SUCCEEDED, "retry", 1)
    assert RecordFailure.objects.get().status == "resolved"
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout"]


def test_failing_again_renews_the_same_entry(flow, owner_actor, now):
    vendor("erp").refusals["Forge rollout"] = RecordRejected("The name is taken.")
    run_flow(flow, now)
    retry_failure(actor=owner_actor, now=now, failure=RecordFailure.objects.get())
    run_flow(flow, now)

    failure = RecordFailure.objects.get()
    assert (failure.status, failure.attempts) == ("open", 2)
    groups = group_failures(owner_actor)
    assert [(group.count, group.sample.pk) for group in groups] == [(1, failure.pk)]


def test_an_ignored_cause_stays_ignored(flow, owner_actor, now):
    vendor("erp").refusals["Forge rollout"] = RecordRejected("The name is taken.")
    run_flow(flow, now)
    ignore_failure(actor=owner_actor, now=now, failure=RecordFailure.objects.get(), reason="Known twin")
    vendor("crm").put("companies", "c1", name="Vulcan Industries", domain="vulcan.example", phone="1")
    vendor("crm").put("deals", "d1", name="Forge rollout", stage="won", company="c2")

    run_flow(flow, now)

    assert list(RecordFailure.objects.values_list("status", flat=True)) == ["ignored"]


def test_an_unreadable_record_is_named_and_heals(flow, now):
    vendor("crm").put("deals", "d3", name="Odd", stage="perhaps", company="c1")

    run = run_flow(flow, now)

    failure = RecordFailure.objects.get()
    assert run.status == RunStatus.PARTIAL
    assert (failure.direction, failure.external_id, failure.error_class) == ("read", "d3", "mapping")
    assert (failure.code, failure.message) == ("stage", "Stage must be one of open, won, lost; 'perhaps' is not")
    assert CanonicalRecord.objects.filter(entity="opportunity").count() == 2
    vendor("crm").put("deals", "d3", stage="lost")
    assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    failure.refresh_from_db()
    assert failure.status == "resolved"


def test_an_unknown_reference_is_fetched_on_demand(deploy, now, monkeypatch):
    seed_won_deal()
    crm = vendor("crm")
    crm.objects["companies"]["c1"]["modified"] = 0  # before any checkpoint: no page ever shows it
    run = run_flow(flow_of(deploy("opportunity-to-project")), now)

    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout"]


def test_a_missing_reference_heals_by_itself(flow, now):
    vendor("crm").put("deals", "d3", name="Early", stage="won", company="c9")
    run = run_flow(flow, now)
    failure = RecordFailure.objects.get()
    assert (run.status, failure.error_class, failure.external_id) == (RunStatus.PARTIAL, "missing_reference", "d3")

    vendor("crm").put("companies", "c9", name="Late Ltd")
    run = run_flow(flow, now)

    failure.refresh_from_db()
    assert (run.status, failure.status) == (RunStatus.SUCCEEDED, "resolved")
    assert sorted(p["name"] for p in vendor("erp").all("projects")) == ["Early", "Forge rollout"]


def test_a_won_deal_without_company_waits_for_one(flow, now):
    vendor("crm").put("deals", "d3", name="Orphan", stage="won")
    run = run_flow(flow, now)
    failure = RecordFailure.objects.get()
    assert (run.status, failure.code, failure.record_title) == (RunStatus.PARTIAL, "no_account", "Orphan")

    vendor("crm").put("deals", "d3", company="c2")
    run = run_flow(flow, now)

    failure.refresh_from_db()
    assert (run.status, failure.status) == (RunStatus.SUCCEEDED, "resolved")
    assert sorted(p["name"] for p in vendor("erp").all("projects")) == ["Forge rollout", "Orphan"]


def test_a_revoked_token_stops_the_run_and_asks_for_a_person(flow, systems, now):
    vendor("crm").read_failures.append(ConfigurationError("The token was revoked."))

    run = run_flow(flow, now)

    assert (run.status, run.error_class, run.error_message) == (RunStatus.FAILED, "auth", "CRM: The token was revoked.")
    systems["crm"].refresh_from_db()
    assert systems["crm"].status == "needs_reauthorization"
    again = run_flow(flow, now)
    assert (again.status, again.error_class) == (RunStatus.FAILED, "auth")


def test_hiccups_are_borne(flow, now):
    vendor("crm").read_failures.extend([TransientError("502")] * 3)
    vendor("erp").fail_before.append(TransientError("reset"))
    vendor("erp").fail_after.append(TransientError("timeout"))

    run = run_flow(flow, now)

    assert (run.status, run.error_message) == (RunStatus.SUCCEEDED, "")
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout"]
    assert len(vendor("erp").all("parties")) == 1


def test_a_vendor_that_stays_down_fails_the_run(flow, now):
    vendor("crm").read_failures.extend([TransientError("503 Service Unavailable")] * 9)

    run = run_flow(flow, now)

    assert (run.status, run.error_class) == (RunStatus.FAILED, "vendor_down")
    assert run.error_message == "CRM: 503 Service Unavailable"


def test_a_rate_limit_defers_the_run_and_nothing_is_lost(flow, now):
    vendor("erp").fail_before.append(RateLimited("Slow down", retry_after=600))

    run = run_flow(flow, now)

    assert (run.status, run.error_class, run.resume_at) == (RunStatus.QUEUED, "", now + timedelta(seconds=600))
    resumed = run_flow(flow, now)
    assert (resumed.pk, resumed.status, resumed.failed_count) == (run.pk, RunStatus.SUCCEEDED, 0)
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout"]


def test_a_fatal_error_stops_the_run(flow, now):
    vendor("crm").read_failures.append(FatalError("Not JSON"))

    run = run_flow(flow, now)

    assert (run.status, run.error_class, run.error_message) == (RunStatus.FAILED, "internal", "CRM: Not JSON")


def test_a_write_nobody_can_ask_about_waits_for_a_person(flow, owner_actor, now, monkeypatch):
    sink(monkeypatch, "fake_delivery", "boards", resolve=Resolve.NONE)
    vendor("delivery").fail_after.append(TransientError("timeout"))

    run = run_flow(flow, now)

    assert run.status == RunStatus.PARTIAL
    failure = RecordFailure.objects.get(error_class="uncertain")
    assert (failure.object_name, failure.record_title) == ("boards", "Forge rollout")
    assert WriteIntent.objects.filter(status="uncertain").count() == 1
    for _ in range(2):
        run_flow(flow, now)
    assert len(vendor("delivery").all("boards")) == 1

    vendor("delivery").objects["boards"].clear()  # the person looks: it is not there
    retry_failure(actor=owner_actor, now=now, failure=failure)
    run_flow(flow, now)
    assert [board["name"] for board in vendor("delivery").all("boards")] == ["Forge rollout"]
    failure.refresh_from_db()
    assert failure.status == "resolved"


def test_a_lagging_search_is_asked_only_after_it_settled(flow, now, monkeypatch):
    sink(monkeypatch, "fake_erp", "parties", resolve=Resolve.LOOKUP_AFTER_SETTLE, settle_seconds=120)
    vendor("erp").fail_after.append(TransientError("timeout"))

    run = run_flow(flow, now)

    assert (run.status, run.resume_at) == (RunStatus.QUEUED, now + timedelta(seconds=120))
    assert len(vendor("erp").all("parties")) == 1
    later = run_flow(flow, now + timedelta(seconds=121))
    assert (later.status, later.error_message) == (RunStatus.SUCCEEDED, "")
    assert len(vendor("erp").all("parties")) == 1
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout"]


def test_the_checkpoint_holds_where_the_run_broke_off(flow, systems, now):
    for number in range(25):
        vendor("crm").put("companies", f"x{number}", name=f"X {number}")
    original = fake_vendor.FakeStream.read

    def third_page_fails(self, *, checkpoint, page_size=100):
        for number, page in enumerate(original(self, checkpoint=checkpoint, page_size=page_size)):
            if self.kind == "companies" and number == 2 and not vendor("crm").refusals:
                vendor("crm").refusals["x"] = FatalError("x")
                raise FatalError("gone")
            yield page

    fake_vendor.FakeStream.read, keep = third_page_fails, original
    try:
        assert run_flow(flow, now).status == RunStatus.FAILED
        assert CanonicalRecord.objects.filter(entity="account").count() == 20
        assert Checkpoint.objects.get(connection=systems["crm"], stream="companies").position["after"] > 0
        run = run_flow(flow, now)
    finally:
        fake_vendor.FakeStream.read = keep

    assert run.status == RunStatus.SUCCEEDED
    assert CanonicalRecord.objects.filter(entity="account").count() == 27
    assert RecordLog.objects.filter(direction="read", entity="account").count() == 27


def test_a_rule_that_fails_on_a_record_is_named_and_heals(deploy, now):
    seed_chain(deploy, now)
    flow = flow_of(deploy("payment-status"))
    bill = vendor("billing").all("bills")[0]["id"]
    project = CanonicalRecord.objects.get(entity="project")
    run_flow(flow, now)
    foreign = CanonicalRecord.objects.create(
        customer_id=flow.customer_id, environment_id=flow.environment_id, entity="invoice", created_at=now,
        changed_at=now, state="open",
        data={"status": "open", "currency": "USD", "total": {"amount": 1, "currency": "USD"}},
    )  # fmt: skip
    link = CanonicalLink.objects.create(source=foreign, name="project", target=project)
    vendor("billing").put("bills", bill, reference="Changed")

    run = run_flow(flow, now)

    failure = RecordFailure.objects.get()
    assert (run.status, failure.object_name, failure.record_title) == (
        RunStatus.PARTIAL,
        "opportunity",
        "Forge rollout",
    )
    assert failure.message == "USD and EUR"
    link.delete()
    vendor("billing").put("bills", bill, reference="Again")
    assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    failure.refresh_from_db()
    assert failure.status == "resolved"


def test_a_long_run_opens_its_connections_again(flow, now, monkeypatch):
    for number in range(25):
        vendor("crm").put("companies", f"x{number}", name=f"X {number}")
    opened = []
    original = fake_vendor.FakeConnector.__init__
    monkeypatch.setattr(
        fake_vendor.FakeConnector, "__init__", lambda self, context: (opened.append(1), original(self, context))[0]
    )
    monkeypatch.setattr("apps.sync.engine.context.OPEN_FOR", timedelta(seconds=-1))

    run = run_flow(flow, now)

    assert (run.status, run.read_count) == (RunStatus.SUCCEEDED, 30)
    assert len(opened) > 8
