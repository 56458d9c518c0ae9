"""Where a dry run shows nothing to write, it says why."""

from __future__ import annotations

import pytest

from apps.canonical.models import CrossReference
from apps.flows.services import go_live
from apps.sync.models import Checkpoint
from apps.sync.services import dry_run
from apps.sync.services.dry_run import NothingToWrite
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.test_opportunity_to_project import seed_won_deal


@pytest.fixture
def integration(deploy):
    return deploy("opportunity-to-project")


def tried(integration, owner_actor, now):
    return dry_run(actor=owner_actor, now=now, integration=integration, limit=10).flows[0]


def test_it_does_not_call_empty_systems_in_step(integration, owner_actor, now):
    assert tried(integration, owner_actor, now).why_nothing is NothingToWrite.NOTHING_READ


def test_it_does_not_call_records_in_step_that_no_rule_wants(integration, owner_actor, now):
    vendor("crm").put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")

    assert tried(integration, owner_actor, now).why_nothing is NothingToWrite.NO_RULE


def test_what_was_written_already_is_in_step(integration, owner_actor, now):
    seed_won_deal()
    go_live(actor=owner_actor, now=now, integration=integration)
    run_flow(flow_of(integration), now)

    assert tried(integration, owner_actor, now).why_nothing is NothingToWrite.IN_STEP


def test_a_flow_that_never_ran_is_tried_on_what_another_one_read(integration, owner_actor, now):
    seed_won_deal()
    go_live(actor=owner_actor, now=now, integration=integration)
    run_flow(flow_of(integration), now)
    Checkpoint.objects.all().delete()
    CrossReference.objects.exclude(connection__name="CRM").exclude(object_name="parties").delete()

    found = tried(integration, owner_actor, now)

    assert found.why_nothing is None
    assert [(change.object_label, change.title) for change in found.changes] == [
        ("Projects", "Forge rollout"), ("Boards", "Forge rollout"), ("Issues", "Kick-off"),
    ]  # fmt: skip


def test_documents_that_only_a_run_makes_are_named(deploy, owner_actor, now):
    found = tried(deploy("time-to-invoice"), owner_actor, now)

    assert found.documents == ["invoices"]
