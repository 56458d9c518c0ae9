"""Contradicting values, deletions that are too many, and an integration's own policies."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.canonical.models import CanonicalRecord, FieldQuestion, MergePlan, RecordMerge
from apps.core.actor import system_actor
from apps.flows.models import FieldPolicy
from apps.flows.services import pause_integration
from apps.sync.models import DeletionReview, SyncRun
from apps.sync.services import carry_on_plan
from tests.conftest import NOW
from tests.factories.world import World, make_world


@pytest.fixture
def world(partner: object) -> World:
    return make_world("Harbor")


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def test_a_value_is_decided(owner: Client, viewer: Client, world: World) -> None:
    question = world.value_question
    assert question is not None
    assert "Take the other" in owner.get(address("value_questions")).content.decode()
    assert "Take the other" not in viewer.get(address("value_questions")).content.decode()
    assert viewer.post(address("value_decide", question.pk), {"answer": "ours"}).status_code == 403

    owner.post(address("value_decide", question.pk), {"answer": "theirs"})

    question.refresh_from_db()
    world.records["account"].refresh_from_db()
    assert (question.answer, world.records["account"].data["phone"]) == ("theirs", "2")
    assert owner.post(address("value_decide", question.pk), {"answer": "ours"}).status_code == 404
    assert FieldQuestion.objects.filter(answered_at=None).count() == 0


def test_deletions_are_kept_back(owner: Client, world: World) -> None:
    review = world.deletions
    assert review is not None
    assert (
        "38 % of companies vanished from Hubspot of Harbor" in owner.get(address("deletion_reviews")).content.decode()
    )

    owner.post(address("deletions_reject", review.pk))

    assert DeletionReview.objects.get().status == "rejected"


def test_policies_are_set_refused_and_reset(owner: Client, world: World) -> None:
    integration = world.integrations["two-way-accounts"]
    page = address("policies_of_integration", integration.pk)
    before = owner.get(page).content.decode()
    wrong = owner.post(page, {"entity": "account", "field": "email", "policy": "system_of_record", "role": ""})
    misfit = owner.post(page, {"entity": "account", "field": "@deleted", "policy": "ask"})
    saved = owner.post(page, {"entity": "account", "field": "@deleted", "policy": "propagate"})

    assert "One system is right: ERP" in before
    assert re.findall(r'nav-row" href="([^"]+)" aria-current', before)[:1] == [address("integrations")]
    assert "Choose the system that is right." in wrong.content.decode()
    assert "This policy does not fit the field." in misfit.content.decode()
    assert saved.status_code == 302
    assert sorted(FieldPolicy.objects.values_list("field", "policy")) == [("@deleted", "propagate"), ("phone", "ask")]
    assert world.field_policy is not None
    owner.post(address("field_policy_reset", world.field_policy.pk))
    assert FieldPolicy.objects.count() == 1


def test_a_full_comparison_is_queued(owner: Client, world: World) -> None:
    flow = world.flows["accounts"]

    owner.post(address("flow_compare", flow.pk))

    assert SyncRun.objects.filter(flow=flow, trigger="reconcile", status="queued").count() == 1


def test_pairs_are_checked_applied_and_undone(owner: Client, viewer: Client, world: World) -> None:
    left, right = world.connections["crm"], world.connections["erp"]
    for number, (connection, stream) in enumerate(((left, "companies"), (right, "parties"))):
        record = CanonicalRecord.objects.create(
            customer=world.customer, environment=left.environment, entity="account", title=f"Twin {number}",
            data={"name": f"Twin {number}"}, created_at=connection.created_at, changed_at=connection.created_at,
        )  # fmt: skip
        record.cross_references.create(connection=connection, object_name=stream, external_id=f"x{number}")
    given = {"entity": "account", "left": str(left.pk), "right": str(right.pk), "text": "x0,x1\nx0,x2\n"}

    requested = owner.post(address("id_pairs"), given)
    plan = MergePlan.objects.get(total=2)
    assert requested["Location"] == address("merge_plan", plan.pk)
    assert "hx-trigger" in owner.get(address("merge_plan", plan.pk)).content.decode()
    carry_on_plan(plan_id=plan.pk, now=NOW)
    checked = owner.get(address("merge_plan", plan.pk))
    assert [(str(label), count) for label, count in checked.context["tiles"]] == [("Cannot be done", 1), ("Merge", 1)]
    assert "x0 is on line 1 already." in checked.content.decode()
    owner.post(address("merge_plan_apply", plan.pk))
    carry_on_plan(plan_id=plan.pk, now=NOW)
    assert RecordMerge.objects.filter(dropped_title__startswith="Twin").count() == 1
    assert "Undo all of it" in owner.get(address("merge_plan", plan.pk)).content.decode()
    owner.post(address("merge_plan_undo", plan.pk))
    carry_on_plan(plan_id=plan.pk, now=NOW)

    assert CanonicalRecord.objects.filter(title__startswith="Twin").count() == 2
    same = owner.post(address("id_pairs"), {**given, "right": str(left.pk)})
    assert "Choose two systems of the same customer." in same.content.decode()
    assert viewer.get(address("id_pairs")).status_code == 403
    assert viewer.post(address("merge_plan_apply", plan.pk)).status_code == 403


def test_two_customers_are_joined_with_a_look_before(owner: Client, viewer: Client, world: World) -> None:
    joining = make_world("Quay")
    for found in (world, joining):
        for integration in found.integrations.values():
            pause_integration(actor=system_actor(), now=NOW, integration=integration)
    given = {"customer": str(world.customer.pk), "other": str(joining.customer.pk), "kind": "production"}
    twice = owner.post(address("joinings"), {**given, "other": given["customer"]})
    owner.post(address("joinings"), given)
    plan = MergePlan.objects.get(source="customers")
    carry_on_plan(plan_id=plan.pk, now=NOW)

    assert "Choose two different customers." in twice.content.decode()
    account = plan.rows.get(left_title="Harbor of Quay")
    line = address("merge_plan_row", plan.pk, account.position)
    shown = owner.get(line, {"q": "Harbor"})
    assert [record.title for record in shown.context["found"]] == ["Harbor of Harbor", "Harbour of Harbor"]
    owner.post(address("merge_plan_decide", plan.pk, account.position), {"right": str(world.records["account"].pk)})
    plan.rows.filter(pk=account.pk).update(contested=["start_date"])
    listed = owner.get(address("merge_plan", plan.pk), {"outcome": "merge"})
    assert all(words in listed.content.decode() for words in ("Decided by hand", "Start date"))
    assert viewer.get(line).status_code == 200
    assert viewer.post(address("merge_plan_decide", plan.pk, account.position)).status_code == 403

    owner.post(address("merge_plan_apply", plan.pk), {"right": "other"})
    carry_on_plan(plan_id=plan.pk, now=NOW)
    world.records["account"].refresh_from_db()
    assert world.records["account"].data["name"] == "Harbor of Quay"
    joining.connections["crm"].refresh_from_db()
    assert joining.connections["crm"].customer == world.customer

    owner.post(address("merge_plan_undo", plan.pk))
    carry_on_plan(plan_id=plan.pk, now=NOW)
    joining.connections["crm"].refresh_from_db()
    assert joining.connections["crm"].customer == joining.customer
