"""One customer joins another: matched by rules and by hand, moved and merged, and parted again exactly as before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps

from apps.audit.models import AuditEvent
from apps.canonical.models import (
    CanonicalLink,
    CanonicalRecord,
    CrossReference,
    CustomField,
    MatchQuestion,
    MergePlan,
    RecordMerge,
)
from apps.canonical.plan_selectors import count_outcomes, list_merge_plans
from apps.canonical.services import declare_custom_field
from apps.connectors.models import Connection
from apps.core.errors import NotVisible
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned, Environment, EnvironmentKind
from apps.flows.models import Flow, Integration, IntegrationTemplateVersion
from apps.flows.services import deploy_integration, go_live, pause_integration, resume_integration
from apps.modernization.models import LegacyInterface, MigrationWave, ParallelRun
from apps.sync.models import ApprovalRequest, RunStatus, SyncRun
from apps.sync.services import (
    UnableToCarryOut,
    apply_plan,
    carry_on_plan,
    decide_row,
    request_joining,
    undo_plan,
)
from apps.sync.services.customer_moving import FOLLOWERS
from tests.factories.askers import owner, owner_actor
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.joining import fingerprint, other, their_systems

__all__ = ["other", "owner", "owner_actor", "their_systems"]


def test_nothing_that_a_customer_owns_stays_behind_unseen():
    moved = {Connection, Integration, Flow, CanonicalRecord}
    # What was done, and the plan of replacing what the customer had before: each is its own customer's history.
    stays = {SyncRun, MergePlan, LegacyInterface, MigrationWave, ParallelRun}
    owned = {model for model in apps.get_models() if issubclass(model, CustomerOwned)} - moved - stays

    assert {table for table, _, _ in FOLLOWERS} == {model._meta.db_table for model in owned}


def test_what_waits_for_a_word_goes_with_its_flow(prepare, theirs, environment, owner_actor, now):
    approval = ApprovalRequest.objects.create(
        customer_id=theirs.customer_id, environment_id=theirs.environment_id, flow=theirs, step="release",
        audience="customer", question="Release it?", record_id=uuid7(), entity="project", title="Quay wall",
        target="Tryton", shown={}, digest="", asked_at=now,
    )  # fmt: skip
    pause_integration(actor=owner_actor, now=now, integration=theirs.integration)
    plan = prepare()

    apply_plan(actor=owner_actor, now=now, plan=plan)
    carry_on_plan(plan_id=plan.pk, now=now)
    approval.refresh_from_db()

    assert (approval.customer_id, approval.environment_id) == (environment.customer_id, environment.pk)


@pytest.fixture
def theirs(deploy, their_systems, other, owner_actor, now) -> Flow:
    """The other customer's flow, live, over its own systems."""
    integration = deploy_integration(
        actor=owner_actor, now=now, environment=other, name="Their deals",
        template_version=IntegrationTemplateVersion.objects.get(template__key="opportunity-to-project"),
        bindings=their_systems, settings={},
    )  # fmt: skip
    go_live(actor=owner_actor, now=now, integration=integration)
    return flow_of(integration)


@pytest.fixture
def ours(deploy, owner_actor, now) -> Flow:
    integration = deploy("opportunity-to-project")
    go_live(actor=owner_actor, now=now, integration=integration)
    return flow_of(integration)


@pytest.fixture
def prepare(environment, other, owner_actor, now):
    def prepare():
        plan = request_joining(actor=owner_actor, now=now, customer=environment.customer, other=other.customer)
        carry_on_plan(plan_id=plan.pk, now=now)
        plan.refresh_from_db()
        return plan

    return prepare


@pytest.fixture
def carry_out(owner_actor, now):
    def carry_out(plan, act=apply_plan, **more):
        act(actor=owner_actor, now=now, plan=plan, **more)
        carry_on_plan(plan_id=plan.pk, now=now)
        plan.refresh_from_db()
        return plan

    return carry_out


@pytest.fixture
def paused(ours, theirs, owner_actor, now):
    """Both know Vulcan; the other also knows Forge, and something like Anvil."""
    vendor("crm").put("companies", "c1", name="Vulcan", domain="vulcan.example", phone="1")
    vendor("erp").put("parties", "p2", name="Anvil Works")
    vendor("their_crm").put("companies", "t1", name="Vulcan GmbH", domain="vulcan.example", phone="2", email="a@v.de")
    vendor("their_crm").put("companies", "t2", name="Forge", domain="forge.example")
    vendor("their_crm").put("companies", "t3", name="Anvil Works")
    vendor("their_crm").put("deals", "d1", name="Roll-out", stage="open", company="t1", close_date="2026-10-01")
    for flow in (ours, theirs):
        assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    pause_integration(actor=owner_actor, now=now, integration=theirs.integration)
    return theirs


def rows_of(plan):
    found = plan.rows.order_by("position").values_list("left_title", "outcome", "right_title", "contested")
    return [(*row[:3], list(row[3])) for row in found]


def test_it_works(paused, environment, other, prepare, carry_out, owner_actor, now):
    before = fingerprint()
    plan = prepare()

    assert fingerprint() == before
    assert rows_of(plan) == [
        ("Vulcan GmbH", "merge", "Vulcan", ["name", "phone"]),
        ("Forge", "new", "", []),
        ("Anvil Works", "ask", "Anvil Works", []),
        ("Roll-out", "new", "", []),
    ]
    assert count_outcomes(plan) == {"ask": 1, "merge": 1, "new": 2}

    carry_out(plan)

    assert (plan.status, plan.done_count, plan.total) == ("applied", 4, 4)
    assert CanonicalRecord.objects.filter(environment=other).count() == 0
    vulcan = CrossReference.objects.get(external_id="t1").record
    assert vulcan.data == {"name": "Vulcan", "domain": "vulcan.example", "phone": "1", "email": "a@v.de"}
    assert sorted(vulcan.cross_references.values_list("external_id", flat=True)) == ["c1", "t1"]
    assert CanonicalLink.objects.get(source__title="Roll-out").target == vulcan
    question = MatchQuestion.objects.get()
    assert (question.customer_id, question.left.title, question.status) == (
        environment.customer_id,
        "Anvil Works",
        "open",
    )
    assert sorted(Connection.objects.filter(environment=environment).values_list("name", flat=True)) == [
        "BILLING", "CRM", "CRM (Southwind)", "DELIVERY", "DELIVERY (Southwind)", "ERP", "ERP (Southwind)",
    ]  # fmt: skip
    audited = AuditEvent.objects.filter(action="merge_plan.applied").values_list("owner_key", flat=True)
    assert sorted(audited) == sorted([environment.customer.subject_key, other.customer.subject_key])

    carry_out(plan, undo_plan)

    assert plan.status == "undone"
    assert fingerprint() == before


def test_both_flows_go_on_and_repeat_nothing(paused, ours, prepare, carry_out, owner_actor, now):
    carry_out(prepare())
    moved = flow_of(paused.integration)
    assert moved.environment_id == ours.environment_id
    resume_integration(actor=owner_actor, now=now, integration=moved.integration)
    vendor("their_crm").put("companies", "t1", phone="7")
    written = {name: vendor(name).write_count for name in ("crm", "erp", "their_crm", "their_erp")}

    for minutes in (1, 2):
        for flow in (flow_of(ours.integration), flow_of(moved.integration)):
            assert run_flow(flow, now + timedelta(minutes=minutes)).status == RunStatus.SUCCEEDED

    assert CrossReference.objects.get(external_id="c1").record.data["phone"] == "7"
    assert CanonicalRecord.objects.filter(entity="account").count() == 4
    assert {name: vendor(name).write_count for name in written} == written


def test_what_came_since_goes_back_with_its_system(paused, other, prepare, carry_out, owner_actor, now):
    plan = carry_out(prepare())
    moved = flow_of(paused.integration)
    resume_integration(actor=owner_actor, now=now, integration=moved.integration)
    vendor("their_crm").put("companies", "t9", name="Newcomer")
    run_flow(moved, now + timedelta(minutes=1))
    pause_integration(actor=owner_actor, now=now, integration=moved.integration)

    carry_out(plan, undo_plan)

    assert CanonicalRecord.objects.get(title="Newcomer").environment == other
    crossing = [x for x in CrossReference.objects.select_related("record", "connection") if x.record.environment_id != x.connection.environment_id]  # fmt: skip
    assert crossing == []


def test_a_person_has_the_last_word(paused, environment, prepare, carry_out, owner_actor, now):
    plan = prepare()
    by_title = {row.left_title: row for row in plan.rows.all()}
    vulcan = CrossReference.objects.get(external_id="c1").record
    anvil = CrossReference.objects.get(external_id="p2").record
    given = {"actor": owner_actor, "now": now, "plan": plan}

    with pytest.raises(UnableToCarryOut, match="matched with “Vulcan GmbH” already"):
        decide_row(**given, row=by_title["Forge"], right_id=vulcan.pk)
    decide_row(**given, row=by_title["Vulcan GmbH"], right_id=None)
    decide_row(**given, row=by_title["Forge"], right_id=vulcan.pk)
    decide_row(**given, row=by_title["Anvil Works"], right_id=anvil.pk)
    with pytest.raises(UnableToCarryOut, match="no such record at Northwind"):
        decide_row(**given, row=by_title["Roll-out"], right_id=anvil.pk)
    carry_out(plan, prefers_other=True)

    assert CrossReference.objects.get(external_id="t2").record.data == {
        "name": "Forge", "domain": "forge.example", "phone": "1",
    }  # fmt: skip
    assert sorted(RecordMerge.objects.values_list("dropped_title", flat=True)) == ["Anvil Works", "Forge"]
    assert MatchQuestion.objects.count() == 0
    assert AuditEvent.objects.filter(action="merge_plan.decided").count() == 6


def test_one_account_connected_twice_is_one(paused, prepare, now):
    Connection.objects.filter(vendor="fake_crm").update(account_id="portal-1")
    reference = CrossReference.objects.get(external_id="t2")
    mine = CanonicalRecord.objects.get(cross_references__external_id="p2")
    connection = Connection.objects.get(vendor="fake_crm", environment=mine.environment)
    CrossReference.objects.create(
        record=mine, connection=connection, object_name=reference.object_name, external_id="t2"
    )

    plan = prepare()

    row = plan.rows.get(left_title="Forge")
    assert (row.outcome, row.right_title, row.score, row.reasons[0]["label"]) == (
        "merge",
        "Anvil Works",
        100,
        "Same id in CRM",
    )
    assert plan.rows.get(left_title="Anvil Works").outcome == "ask"


def test_equal_accounts_on_two_servers_are_two(paused, prepare):
    for place, one in enumerate(Connection.objects.filter(vendor="fake_crm").order_by("pk")):
        one.account_id, one.settings = "1", {**one.settings, "base_url": f"https://{place}.example.com"}
        one.save()
    reference = CrossReference.objects.get(external_id="t2")
    mine = CanonicalRecord.objects.get(cross_references__external_id="p2")
    connection = Connection.objects.get(vendor="fake_crm", environment=mine.environment)
    CrossReference.objects.create(
        record=mine, connection=connection, object_name=reference.object_name, external_id="t2"
    )

    plan = prepare()

    assert not [row for row in plan.rows.all() if any(reason["rule"] == "same_id" for reason in row.reasons)]
    assert plan.rows.get(left_title="Forge").outcome != "merge"


def test_nothing_begins_while_the_other_customer_runs(paused, prepare, owner_actor, now):
    plan = prepare()
    resume_integration(actor=owner_actor, now=now, integration=paused.integration)

    with pytest.raises(UnableToCarryOut, match="Pause Their deals first"):
        apply_plan(actor=owner_actor, now=now, plan=plan)
    with pytest.raises(UnableToCarryOut, match="being joined already"):
        prepare()
    assert MergePlan.objects.count() == 1


def test_a_run_that_began_meanwhile_puts_the_plan_back(paused, prepare, owner_actor, now):
    plan = prepare()
    apply_plan(actor=owner_actor, now=now, plan=plan)
    Integration.objects.filter(pk=paused.integration_id).update(status="live")
    before = fingerprint()

    carry_on_plan(plan_id=plan.pk, now=now)

    plan.refresh_from_db()
    assert (plan.status, plan.message[:25], plan.applied_at) == ("ready", "Pause Their deals first, ", None)
    assert fingerprint() == before


def test_undoing_waits_for_what_uses_what_came(paused, deploy, prepare, carry_out, owner_actor, now):
    plan = carry_out(prepare())
    user = deploy("two-way-accounts", crm=Connection.objects.get(name="CRM (Southwind)"))

    with pytest.raises(UnableToCarryOut, match="uses CRM \\(Southwind\\), which would go back"):
        undo_plan(actor=owner_actor, now=now, plan=plan)
    user.role_bindings.all().delete()
    assert carry_out(plan, undo_plan).status == "undone"


def test_own_fields_come_along_and_contradicting_ones_stop_it(
    paused, environment, other, prepare, carry_out, owner_actor, now
):
    given = {"actor": owner_actor, "now": now, "entity": "account", "label": "Region"}
    declare_custom_field(**given, customer=other.customer, key="region", kind="text")
    plan = carry_out(prepare())
    assert CustomField.objects.filter(only_for=environment.customer, key="region").count() == 1
    carry_out(plan, undo_plan)
    assert CustomField.objects.filter(only_for=environment.customer).count() == 0

    declare_custom_field(**given, customer=environment.customer, key="region", kind="integer")
    with pytest.raises(UnableToCarryOut, match="a field x_region"):
        apply_plan(actor=owner_actor, now=now, plan=prepare())


def test_who_sees_one_of_the_two_sees_no_plan(paused, environment, other, prepare, owner_actor, now):
    plan = prepare()
    half = type(owner_actor)(
        owner_actor.kind, "h", "H", owner_actor.permissions, scope=frozenset({environment.customer_id})
    )

    assert list(list_merge_plans(half)) == []
    with pytest.raises(NotVisible):
        apply_plan(actor=half, now=now, plan=plan)
    with pytest.raises(NotVisible):
        request_joining(actor=half, now=now, customer=environment.customer, other=other.customer)


def test_sandboxes_are_joined_by_themselves(environment, other, owner_actor, now):
    for place in (environment, other):
        Environment.objects.create(customer=place.customer, kind=EnvironmentKind.SANDBOX)

    plan = request_joining(
        actor=owner_actor, now=now, customer=environment.customer, other=other.customer, kind=EnvironmentKind.SANDBOX
    )
    carry_on_plan(plan_id=plan.pk, now=now)

    plan.refresh_from_db()
    assert (plan.status, plan.total, plan.environment.kind) == ("ready", 0, "sandbox")
