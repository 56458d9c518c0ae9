"""A month is measured from runs, closed once, and never changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core.actor import Actor, ActorKind, system_actor
from apps.core.errors import NotPermitted, NotVisible
from apps.core.ids import uuid7
from apps.customers.models import Customer, CustomerMembership
from apps.dispatch.models import WorkItem
from apps.flows.models import Flow
from apps.notifications.models import OutgoingMail
from apps.sla.models import SlaAssignment, SlaReport
from apps.sla.selectors import get_report, list_reports, month_to_date
from apps.sla.services import UnableToPromise, assign_policy, close_due_month, close_month, create_policy
from apps.sync.models import RunStatus
from apps.tenants.models import Partner
from tests.factories.delivery import make_customer, make_flow, make_run

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
OBJECTIVES = [
    {"key": "run_success", "target": "90"},
    {"key": "record_success", "target": "99.5"},
    {"key": "freshness", "target": "50", "threshold_seconds": 86_400},
]


@pytest.fixture
def customer(partner: Partner) -> Customer:
    return make_customer("Brightwater")


@pytest.fixture
def flow(customer: Customer) -> Flow:
    return make_flow(customer)


@pytest.fixture
def promised(customer: Customer, owner_actor: Actor) -> SlaAssignment:
    version = create_policy(actor=owner_actor, now=OCTOBER, name="Gold", objectives=OBJECTIVES)
    return assign_policy(actor=owner_actor, now=OCTOBER, customer=customer, policy_version=version)


def run_daily(flow: Flow, *, failed_on: frozenset[int] = frozenset()) -> None:
    for day in range(31):
        status = RunStatus.FAILED if day in failed_on else RunStatus.SUCCEEDED
        make_run(flow, at=OCTOBER + timedelta(days=day), status=status, created_count=10, failed_count=0)


def test_it_works(customer: Customer, flow: Flow, promised: SlaAssignment) -> None:
    run_daily(flow, failed_on=frozenset({3}))

    report = close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER)

    assert report is not None
    assert (report.period_start, report.period_end, report.is_met) == (OCTOBER, NOVEMBER, True)
    runs, records, fresh = report.results["objectives"]
    assert (runs["good"], runs["total"], runs["achieved"], runs["budget_left"]) == (30, 31, "96.77", "67.7")
    assert (records["achieved"], records["is_met"]) == ("100.00", True)
    # 31 days less the day after the failed run; the flow itself went live on October 1st at 08:00.
    assert (fresh["good"], fresh["total"]) == (29 * 86_400 + 16 * 3600, 30 * 86_400 + 16 * 3600)


def test_a_missed_objective_is_a_missed_month(customer: Customer, flow: Flow, promised: SlaAssignment) -> None:
    run_daily(flow, failed_on=frozenset(range(4)))

    report = close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER)

    assert report is not None
    assert [row["is_met"] for row in report.results["objectives"]] == [False, True, True]
    assert report.is_met is False


def test_a_closed_month_stays_as_it_was(customer: Customer, flow: Flow, promised: SlaAssignment) -> None:
    first = close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER)
    run_daily(flow, failed_on=frozenset(range(20)))

    again = close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER + timedelta(days=3))

    assert first is not None
    assert again == first
    assert (again.results, again.computed_at) == (first.results, NOVEMBER)


def test_other_customers_and_sandboxes_do_not_count(customer: Customer, flow: Flow, promised: SlaAssignment) -> None:
    make_run(make_flow(make_customer("Other")), at=OCTOBER, status=RunStatus.FAILED)
    sandbox = make_flow(customer, environment=customer.environments.get(kind="sandbox"))
    make_run(sandbox, at=OCTOBER, status=RunStatus.FAILED)
    make_run(flow, at=OCTOBER)

    measured = month_to_date(customer, NOVEMBER - timedelta(seconds=1))

    assert measured is not None
    assert (measured.results[0].good, measured.results[0].total) == (1, 1)


def test_a_running_month_is_measured_up_to_now(customer: Customer, flow: Flow, promised: SlaAssignment) -> None:
    run_daily(flow)

    measured = month_to_date(customer, OCTOBER + timedelta(days=1, hours=1))

    assert measured is not None
    assert measured.run_count == 2
    assert measured.measured_to == OCTOBER + timedelta(days=1, hours=1)


def test_without_a_promise_there_is_no_report(customer: Customer, flow: Flow) -> None:
    assert close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER) is None
    assert month_to_date(customer, NOVEMBER) is None


def test_closing_is_scheduled_for_the_next_month(customer: Customer, promised: SlaAssignment) -> None:
    assert WorkItem.objects.get(kind="sla.close_month").due_at == NOVEMBER + timedelta(hours=2)

    close_due_month(customer_id=str(customer.pk), now=NOVEMBER + timedelta(hours=2))

    assert SlaReport.objects.get().period_start == OCTOBER
    assert WorkItem.objects.get(kind="sla.close_month").due_at == datetime(2026, 12, 1, 2, tzinfo=UTC)


def test_a_new_promise_ends_the_old_one(customer: Customer, promised: SlaAssignment, owner_actor: Actor) -> None:
    later = OCTOBER + timedelta(days=10)
    silver = create_policy(actor=owner_actor, now=later, name="Silver", objectives=OBJECTIVES[:1])

    assign_policy(actor=owner_actor, now=later, customer=customer, policy_version=silver)

    promised.refresh_from_db()
    assert promised.ends_at == later
    assert SlaAssignment.objects.get(ends_at=None).policy_version == silver


def test_the_same_promise_again_is_noted_once(customer: Customer, promised: SlaAssignment, owner_actor: Actor) -> None:
    again = assign_policy(
        actor=owner_actor, now=OCTOBER + timedelta(days=1), customer=customer, policy_version=promised.policy_version
    )

    assert (again.pk, again.starts_at, again.ends_at) == (promised.pk, OCTOBER, None)
    assert SlaAssignment.objects.count() == 1
    assert AuditEvent.objects.filter(action="sla.policy.assigned").count() == 1


def test_the_pdf_says_the_same(customer: Customer, flow: Flow, promised: SlaAssignment) -> None:
    run_daily(flow, failed_on=frozenset({3}))
    report = close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER)

    assert report is not None
    text = " ".join(PdfReader(BytesIO(bytes(report.document or b""))).pages[0].extract_text().split())
    for expected in ("Brightwater", "October 2026", "96.77 %", "Every promise was kept.", "31 runs, 1 failed"):
        assert expected in text
    assert "Interlace" not in text


def test_the_report_is_mailed_to_the_customers_administrators(
    customer: Customer, flow: Flow, promised: SlaAssignment, now: datetime
) -> None:
    for email, role in (("ada@brightwater.example", "admin"), ("vic@brightwater.example", "viewer")):
        user = User.objects.create_user(email, "secret", created_at=now)
        CustomerMembership.objects.create(user=user, customer=customer, role=role, created_at=now)
    run_daily(flow)

    close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER)

    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.subject) == ("ada@brightwater.example", "Service report for October 2026")
    assert "Successful runs: 100.00 %, target 90 %" in mail.text


def test_a_stranger_sees_no_report(customer: Customer, flow: Flow, promised: SlaAssignment) -> None:
    report = close_month(actor=system_actor(), customer=customer, instant=OCTOBER, now=NOVEMBER)
    stranger = Actor(ActorKind.USER, "s", "S", frozenset({"sla.view"}), scope=frozenset({uuid7()}))

    assert report is not None
    assert list(list_reports(stranger)) == []
    with pytest.raises(NotVisible):
        get_report(stranger, report.pk)


BAD = [
    [],
    [{"key": "speed", "target": "99"}],
    [{"key": "run_success", "target": "101"}],
    [{"key": "run_success", "target": "many"}],
    [{"key": "freshness", "target": "99"}],
]


@pytest.mark.parametrize("objectives", BAD)
def test_objectives_that_promise_nothing_are_refused(
    partner: Partner, owner_actor: Actor, now: datetime, objectives: list[dict[str, str]]
) -> None:
    with pytest.raises(UnableToPromise):
        create_policy(actor=owner_actor, now=now, name="Odd", objectives=objectives)

    assert SlaAssignment.objects.count() == 0


def test_support_may_not_promise(partner: Partner, now: datetime) -> None:
    support = Actor(ActorKind.USER, "s", "S", frozenset({"sla.view"}), scope=None)

    with pytest.raises(NotPermitted):
        create_policy(actor=support, now=now, name="Gold", objectives=OBJECTIVES)
