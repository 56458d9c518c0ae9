"""Correcting a failed record in place: a person's change of the record, written by the engine, once."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.canonical.models import CanonicalChange, CanonicalRecord
from apps.connectors.sdk.errors import RecordRejected
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.sync.models import FailureNote, IntentStatus, RecordFailure, RunStatus, WriteIntent
from apps.sync.selectors import record_timeline
from apps.sync.services import UnableToEdit, edit_and_retry, find_editable
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor
from tests.sync.test_opportunity_to_project import seed_won_deal


@pytest.fixture
def flow(deploy):
    seed_won_deal()
    return flow_of(deploy("opportunity-to-project"))


@pytest.fixture
def failure(flow, now):
    vendor("erp").refusals["Forge rollout"] = RecordRejected("The name is taken.", code="DUPLICATE")
    run_flow(flow, now)
    return RecordFailure.objects.get()


def edit(actor, now, failure, version=1, **values):
    return edit_and_retry(actor=actor, now=now, failure=failure, values=values, version=version)


def test_it_works(flow, failure, owner_actor, now):
    edited = edit(owner_actor, now, failure, name="Forge rollout 2")

    assert edited.status == "retrying"
    project = CanonicalRecord.objects.get(entity="project")
    change = CanonicalChange.objects.get(record=project, version=2)
    assert (change.source_kind, change.flow_id, change.fields) == (
        "person", None, {"name": ["Forge rollout", "Forge rollout 2"]},
    )  # fmt: skip
    assert record_timeline(owner_actor, project).entries[0].fields == change.fields
    assert list(FailureNote.objects.values_list("kind", "text")) == [("edited", "name"), ("retried", "")]

    later = [run_flow(flow, now + timedelta(minutes=minute)) for minute in (1, 2)]

    assert [run.status for run in later] == [RunStatus.SUCCEEDED] * 2
    failure.refresh_from_db()
    assert (failure.status, failure.resolved_by_label) == ("resolved", "System")
    assert [p["name"] for p in vendor("erp").all("projects")] == ["Forge rollout 2"]
    assert [board["name"] for board in vendor("delivery").all("boards")] in (["Forge rollout"], ["Forge rollout 2"])
    assert WriteIntent.objects.filter(status="planned").count() == 0


def test_only_what_is_sent_is_offered_with_its_type(failure, owner_actor):
    editable = find_editable(owner_actor, failure)

    offered = {field.name: (field.kind, field.is_required, field.value) for field in editable.fields}
    assert offered["name"] == ("text", True, "Forge rollout")
    status = next(field for field in editable.fields if field.name == "status")
    assert (status.kind, status.choices) == ("choice", ("closed", "on_hold", "open", "planned"))


def test_what_the_record_cannot_be_is_refused_and_nothing_changes(failure, owner_actor, now):
    for values, message in (
        ({"name": None}, "^Name is missing.$"), ({"status": "perhaps"}, "^Status must be one of planned, open, "),
        ({"nonsense": "x"}, "not a field"),
        ({"name": "Forge rollout"}, "Nothing was changed"),
    ):  # fmt: skip
        with pytest.raises(UnableToEdit, match=message):
            edit(owner_actor, now, failure, **values)
    with pytest.raises(UnableToEdit, match="has changed since"):
        edit(owner_actor, now, failure, version=7, name="Other")

    failure.refresh_from_db()
    assert (failure.status, CanonicalRecord.objects.get(entity="project").version) == ("open", 1)


def test_not_while_it_may_be_on_its_way(failure, owner_actor, now):
    WriteIntent.objects.filter(record_id=failure.record_id).update(status=IntentStatus.UNCERTAIN)

    with pytest.raises(UnableToEdit, match="whether the record arrived"):
        edit(owner_actor, now, failure, name="Other")


def test_not_twice_at_once(failure, owner_actor, now):
    edit(owner_actor, now, failure, name="Other")

    with pytest.raises(UnableToEdit, match="being tried again"):
        edit(owner_actor, now, failure, version=2, name="Another")


def test_what_could_not_be_read_is_corrected_at_its_source(flow, owner_actor, now):
    vendor("crm").put("deals", "d3", name="Odd", stage="perhaps", company="c1")
    run_flow(flow, now)

    with pytest.raises(UnableToEdit, match="Correct it at its source"):
        find_editable(owner_actor, RecordFailure.objects.get())


def test_only_for_those_who_may_see_and_settle(failure, now):
    for permissions in ({"errors.resolve"}, {"payloads.view"}):
        with pytest.raises(NotPermitted):
            find_editable(Actor(ActorKind.USER, "s", "S", frozenset(permissions), scope=None), failure)
    both = frozenset({"errors.resolve", "payloads.view"})
    with pytest.raises(NotVisible):
        find_editable(Actor(ActorKind.USER, "s", "S", both, scope=frozenset({uuid4()})), failure)
