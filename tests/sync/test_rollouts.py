"""A new template version on its way to customers: stages, halts, answers, and the way back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.accounts.models import StaffMembership
from apps.core.clock import moved_clock
from apps.dispatch.models import WorkItem
from apps.flows.definition import parse_flow
from apps.flows.models import Flow, Integration, MemberStatus, RolloutMember, TemplateRollout
from apps.flows.services import (
    change_settings,
    deploy_integration,
    fork_template,
    go_live,
    open_template_draft,
    publish_mappings,
    publish_template,
    save_mapping,
    save_template_draft,
)
from apps.flows.services.upgrades import UnableToUpgrade, plan_upgrade, upgrade_integration
from apps.sync.models import RunStatus, SyncRun
from apps.sync.services import (
    UnableToChangeRollout,
    UnableToRollOut,
    advance_rollout,
    answer_member,
    cancel_rollout,
    resume_rollout,
    roll_back,
    roll_back_member,
    skip_member,
    start_rollout,
    try_template,
    try_upgrade,
)
from apps.sync.services.rollouts import ROLLOUT_KIND, candidates
from tests.factories.askers import owner, owner_actor
from tests.factories.delivery import make_run
from tests.sync.conftest import make_environment

__all__ = ["owner", "owner_actor"]

ROLES = ("crm", "erp", "delivery")
SECOND_FLOW = """
  - key: contacts
    name: Contacts
    description: Keeps contacts.
    reads:
      - {role: crm, entity: contact}
"""
ASKED = """  - key: cost_center
    label: Cost center
    required: true
"""


@pytest.fixture
def first(deploy, owner_actor, now):
    shipped = deploy("opportunity-to-project").template_version
    draft = fork_template(actor=owner_actor, now=now, version=shipped, key="custom-deals", name="Deals")
    return publish_template(actor=owner_actor, now=now, version=draft)


@pytest.fixture
def release(first, owner_actor, now):
    """A following version, with pieces of text replaced."""

    def make(*pairs, more=""):
        draft = open_template_draft(actor=owner_actor, now=now, version=first)
        source = draft.source
        for before, after in pairs:
            assert before in source
            source = source.replace(before, after, 1)
        saved = save_template_draft(actor=owner_actor, now=now, version=draft, source=source + more)
        return publish_template(actor=owner_actor, now=now, version=saved)

    return make


@pytest.fixture
def fleet(first, environment, systems, owner_actor, now):
    """Four live integrations of the first version, of four customers with the same systems."""
    made = []
    for slug in ("alder", "birch", "cedar", "dogwood"):
        place = make_environment(now, slug)
        made.append(live(first, place, clone(systems, place), owner_actor, now))
    return made


def clone(systems, environment):
    from apps.connectors.models import Connection

    made = {}
    for role in ROLES:
        row = Connection.objects.get(pk=systems[role].pk)
        row.pk, row.environment, row.customer = None, environment, environment.customer
        row.webhook_token = f"{environment.customer.slug}-{role}"
        row.id = Connection._meta.pk.default()
        row._state.adding = True
        row.save(force_insert=True)
        made[role] = row
    return made


def live(version, environment, systems, actor, now):
    integration = deploy_integration(
        actor=actor, now=now, environment=environment, template_version=version, name="", settings={},
        bindings={role: systems[role] for role in ROLES},
    )  # fmt: skip
    return go_live(actor=actor, now=now, integration=integration)


def start(actor, now, version, fleet, *stages, answers=None):
    return start_rollout(
        actor=actor, now=now, version=version, integrations=fleet, stages=stages, answers=answers or {}
    )


def standing(rollout):
    return [member.status for member in rollout.members.order_by("stage", "id")]


def versions(fleet):
    return [Integration.objects.get(pk=one.pk).template_version.number for one in fleet]


def finish_runs(now, status=RunStatus.SUCCEEDED, **fields):
    SyncRun.objects.filter(status="queued").update(status=status, finished_at=now, **fields)


def advance(rollout, at):
    with moved_clock(at):
        return advance_rollout(rollout_id=rollout.pk, now=at)


def test_stage_by_stage_each_waiting_for_the_runs_of_the_one_before(fleet, release, owner_actor, now):
    version = release(("default: Kick-off", "default: Begin"), more=SECOND_FLOW)
    assert candidates(owner_actor, version) == fleet
    rollout = start(owner_actor, now, version, fleet, 1, 2)
    assert rollout.stages == [1, 2, 1]

    advance(rollout, now)
    assert versions(fleet) == ["1.1.0", "1.0.0", "1.0.0", "1.0.0"]
    assert standing(rollout) == ["in_progress", "waiting", "waiting", "waiting"]
    assert Flow.objects.filter(integration=fleet[0], is_enabled=True).count() == 2
    assert SyncRun.objects.filter(flow__integration=fleet[0], status="queued").count() == 2
    assert WorkItem.objects.filter(kind=ROLLOUT_KIND).get().due_at == now + timedelta(seconds=15)

    advance(rollout, now + timedelta(seconds=15))
    assert versions(fleet)[1:] == ["1.0.0", "1.0.0", "1.0.0"]
    for step in (1, 2, 3):
        finish_runs(now)
        advance(rollout, now + timedelta(minutes=step))
        advance(rollout, now + timedelta(minutes=step, seconds=1))

    rollout.refresh_from_db()
    assert versions(fleet) == ["1.1.0"] * 4
    assert (rollout.status, standing(rollout)) == ("completed", ["done"] * 4)
    assert WorkItem.objects.filter(kind=ROLLOUT_KIND).count() == 0


def test_a_failed_first_run_halts_it_and_says_why(fleet, release, owner_actor, now):
    rollout = start(owner_actor, now, release(("A won deal", "Each won deal")), fleet, 1)
    advance(rollout, now)
    finish_runs(now, RunStatus.FAILED, error_message="ERP: Party is required")

    halted = advance(rollout, now + timedelta(minutes=1))

    assert (halted.status, halted.halt_reason) == (
        "halted",
        "Alder: Won deals to projects failed: ERP: Party is required",
    )
    assert versions(fleet) == ["1.1.0", "1.0.0", "1.0.0", "1.0.0"]
    assert advance(rollout, now + timedelta(minutes=2)).status == "halted"
    resume_rollout(actor=owner_actor, now=now + timedelta(minutes=3), rollout=halted)
    assert standing(rollout)[0] == MemberStatus.WATCHED
    advance(rollout, now + timedelta(minutes=3))
    finish_runs(now + timedelta(minutes=4))
    advance(rollout, now + timedelta(minutes=4))
    advance(rollout, now + timedelta(minutes=5))
    assert standing(rollout) == ["done", "in_progress", "in_progress", "in_progress"]


def test_more_failures_than_before_halt_it(fleet, release, owner_actor, now):
    from tests.functional.partner.scene import make_failure

    flow = Flow.objects.select_related("customer", "environment", "current_version").get(integration=fleet[0])
    connection = fleet[0].role_bindings.get(role="erp").connection
    old = make_run(flow, at=now)
    make_failure(old, connection, now, 1)
    rollout = start(owner_actor, now, release(("A won deal", "Each won deal")), fleet, 1)
    advance(rollout, now)
    for number in (2, 3):
        make_failure(old, connection, now, number)
    finish_runs(now, RunStatus.PARTIAL)

    halted = advance(rollout, now + timedelta(minutes=1))

    assert halted.halt_reason == "Alder: 2 more records failed than before."
    member = rollout.members.get(integration=fleet[0])
    skip_member(actor=owner_actor, now=now, member=member)
    resume_rollout(actor=owner_actor, now=now, rollout=halted)
    for minutes in (2, 3):
        advance(rollout, now + timedelta(minutes=minutes))
    assert versions(fleet) == ["1.1.0"] * 4


def test_what_a_customer_has_of_its_own_is_kept(fleet, release, owner_actor, now):
    one = fleet[0]
    change_settings(
        actor=owner_actor, now=now, integration=one, name="Mine", settings={**one.settings, "first_task": "Go"}
    )
    place = ("crm", "read", "companies")
    save_mapping(actor=owner_actor, now=now, integration=one, place=place, fields={"phone": "trim(record.phone)"})
    publish_mappings(actor=owner_actor, now=now, integration=one, accepted=True)
    version = release(("default: Kick-off", "default: Begin"), more=SECOND_FLOW)

    one.refresh_from_db()
    upgrade_integration(actor=owner_actor, now=now, integration=one, version=version)

    one.refresh_from_db()
    assert (one.name, one.settings["first_task"], one.template_version_id) == ("Mine", "Go", version.pk)
    mappings = {flow.key: parse_flow(flow.current_version.definition).mappings for flow in one.flows.all()}
    assert {key: [m.fields for m in found] for key, found in mappings.items()} == {
        "won-opportunities": [{"phone": "trim(record.phone)"}], "contacts": [{"phone": "trim(record.phone)"}],
    }  # fmt: skip
    assert one.mapping_overrides.count() == 1


def test_a_needed_setting_is_asked_for_and_holds_up_nobody_else(fleet, release, owner_actor, now):
    version = release(("settings:\n", f"settings:\n{ASKED}"))
    plan = plan_upgrade(fleet[0], version)
    assert [(s.key, s.is_asked) for s in plan.settings] == [("cost_center", True)]
    with pytest.raises(UnableToUpgrade) as raised:
        upgrade_integration(actor=owner_actor, now=now, integration=fleet[0], version=version)
    assert raised.value.field == "cost_center"

    rollout = start(owner_actor, now, version, fleet[:2], answers={fleet[1].pk: {"cost_center": "12"}})
    advance(rollout, now)
    finish_runs(now)
    advance(rollout, now + timedelta(minutes=1))
    assert standing(rollout) == ["needs_review", "done"]
    assert rollout.members.get(integration=fleet[0]).message == "Cost center: Cost center is needed."

    asked = rollout.members.get(integration=fleet[0])
    with pytest.raises(UnableToRollOut):
        answer_member(actor=owner_actor, now=now, member=asked, answers={"cost_center": ""})
    answer_member(actor=owner_actor, now=now, member=asked, answers={"cost_center": "7"})
    advance(rollout, now + timedelta(minutes=2))
    finish_runs(now)
    advance(rollout, now + timedelta(minutes=3))
    rollout.refresh_from_db()
    assert (rollout.status, Integration.objects.get(pk=fleet[0].pk).settings["cost_center"]) == ("completed", "7")


def test_an_answer_changes_no_setting_that_nobody_asked_for(fleet, release, owner_actor, now):
    version = release(("settings:\n", f"settings:\n{ASKED}"))
    before = dict(fleet[0].settings)
    answers = {"cost_center": "12", "first_task": "Send everything to me"}

    upgrade_integration(actor=owner_actor, now=now, integration=fleet[0], version=version, answers=answers)

    assert Integration.objects.get(pk=fleet[0].pk).settings == {**before, "cost_center": "12"}


def test_everybody_goes_back_and_flows_that_came_are_retired(fleet, release, owner_actor, now):
    version = release(("default: Kick-off", "default: Begin"), more=SECOND_FLOW)
    rollout = start(owner_actor, now, version, fleet[:3])
    advance(rollout, now)
    finish_runs(now)
    advance(rollout, now + timedelta(minutes=1))
    fleet[2].refresh_from_db()
    change_settings(actor=owner_actor, now=now, integration=fleet[2], name="", settings={"first_task": "Own"})

    rollout.refresh_from_db()
    roll_back(actor=owner_actor, now=now, rollout=rollout)
    advance(rollout, now + timedelta(minutes=2))

    rollout.refresh_from_db()
    assert (rollout.status, standing(rollout)) == ("rolled_back", ["rolled_back", "rolled_back", "skipped"])
    assert versions(fleet[:3]) == ["1.0.0", "1.0.0", "1.1.0"]
    kept = Flow.objects.filter(integration=fleet[0]).order_by("key").values_list("key", "is_enabled")
    assert list(kept) == [("contacts", False), ("won-opportunities", True)]
    again = start(owner_actor, now, version, fleet[:1])
    advance(again, now + timedelta(minutes=3))
    assert Flow.objects.filter(integration=fleet[0], is_enabled=True).count() == 2


def test_one_customer_goes_back_alone(fleet, release, owner_actor, now):
    rollout = start(owner_actor, now, release(("A won deal", "Each won deal")), fleet[:2])
    advance(rollout, now)

    member = rollout.members.get(integration=fleet[1])
    roll_back_member(actor=owner_actor, now=now, member=member)

    assert versions(fleet[:2]) == ["1.1.0", "1.0.0"]
    with pytest.raises(UnableToChangeRollout):
        roll_back_member(actor=owner_actor, now=now, member=member)


def test_one_rollout_of_a_version_at_a_time_and_it_can_be_ended(fleet, release, owner_actor, now):
    version = release(("A won deal", "Each won deal"))
    rollout = start(owner_actor, now, version, fleet, 1)
    with pytest.raises(UnableToRollOut, match="already"):
        start(owner_actor, now, version, fleet)
    cancel_rollout(actor=owner_actor, now=now, rollout=rollout)
    advance(rollout, now)

    assert versions(fleet) == ["1.0.0"] * 4
    assert WorkItem.objects.filter(kind=ROLLOUT_KIND).count() == 0


def test_an_integration_cannot_be_in_it_twice(fleet, release, owner_actor, now):
    with pytest.raises(UnableToRollOut, match="named twice"):
        start(owner_actor, now, release(("A won deal", "Each won deal")), [fleet[0], fleet[0]])
    assert TemplateRollout.objects.count() == 0


def test_a_version_is_tried_on_real_records_before_it_is_published(
    fleet, release, systems, environment, owner_actor, now
):
    version = release(("default: Kick-off", "default: Begin"), more=SECOND_FLOW)
    with moved_clock(now):
        tried = try_upgrade(actor=owner_actor, now=now, integration=fleet[0], version=version)
        fresh = try_template(actor=owner_actor, now=now, version=version, environment=environment)

    assert [flow.key for flow in tried.flows] == [flow.key for flow in fresh.flows] == ["won-opportunities", "contacts"]
    assert versions(fleet) == ["1.0.0"] * 4
    assert Flow.objects.filter(key="contacts").count() == 0


def test_it_halts_when_whoever_began_it_may_not_any_more(release, fleet, owner, owner_actor, system, now):
    second = release(("A won deal", "Each won deal"))
    rollout = start(owner_actor, now, second, fleet, 1)
    advance_rollout(rollout_id=rollout.pk, now=now)
    assert standing(rollout) == ["in_progress", "waiting", "waiting", "waiting"]
    StaffMembership.objects.filter(user=owner).update(role="support")
    RolloutMember.objects.filter(rollout=rollout, stage=0).update(status="done")
    TemplateRollout.objects.update(stage=1)

    halted = advance_rollout(rollout_id=rollout.pk, now=now)

    assert (halted.status, standing(rollout)[1:]) == ("halted", ["waiting"] * 3)
    assert halted.halt_reason == (
        "Staff owner may not do this any more. Go on with it, or have it go back, in your own name."
    )
    resume_rollout(actor=system, now=now, rollout=halted)
    advance_rollout(rollout_id=rollout.pk, now=now)
    assert standing(rollout)[1:] == ["in_progress"] * 3
