"""Pairs of ids from a file: bad lines told, good ones merged or linked, all of it undone at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.canonical.models import CanonicalRecord, CrossReference, RecordMerge
from apps.core.errors import NotPermitted
from apps.sync.models import RunStatus
from apps.sync.services import UnableToReadPairs, apply_pairs, preview_pairs, undo_batch
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

FILE = "HubSpot;ERP\nc1;p1\nc2;p2\nc2;p3\nc9;p9\nc3\nc4;p4\nc5;p5\n"


@pytest.fixture
def flow(deploy, now):
    for number, name in enumerate(["Anvil", "Bellows", "Crucible", "Drill"], 1):
        vendor("crm").put("companies", f"c{number}", name=name)
    for number, name in enumerate(["Hammer", "Hearth", "Iron", "Drill"], 1):
        vendor("erp").put("parties", f"p{number}", name=name, phone=str(number))
    flow = flow_of(deploy("opportunity-to-project"))
    assert run_flow(flow, now).status == RunStatus.SUCCEEDED
    return flow


def given(systems, owner_actor, now, text=FILE):
    return {
        "actor": owner_actor,
        "now": now,
        "entity": "account",
        "left": systems["crm"],
        "right": systems["erp"],
        "text": text,
    }


def test_it_works(flow, systems, owner_actor, now):
    report = apply_pairs(**given(systems, owner_actor, now))

    assert [(row.line, row.outcome) for row in report.rows] == [
        (2, "merge"), (3, "merge"), (4, "error"), (5, "error"), (6, "error"), (7, "merge"), (8, "error"),
    ]  # fmt: skip
    assert report.rows[2].message == "c2 is on line 3 already."
    assert report.rows[4].message == "Two ids are expected."
    assert report.counts == {"merge": 3, "link": 0, "known": 0, "error": 4}
    merged = CrossReference.objects.get(external_id="c1").record
    assert sorted(merged.cross_references.values_list("external_id", flat=True)) == ["c1", "p1"]
    again = apply_pairs(**given(systems, owner_actor, now, "c1,p1\n"))
    assert again.counts["known"] == 1


def test_the_preview_changes_nothing(flow, systems, owner_actor, now):
    report = preview_pairs(**given(systems, owner_actor, now))

    assert (report.count("merge"), RecordMerge.objects.count()) == (3, 0)
    assert (report.rows[0].left_title, report.rows[0].right_title) == ("Anvil", "Hammer")


def test_an_import_is_undone_as_a_whole(flow, systems, owner_actor, now):
    before = sorted(CrossReference.objects.values_list("external_id", "record_id"), key=str)
    report = apply_pairs(**given(systems, owner_actor, now))

    assert undo_batch(actor=owner_actor, now=now, batch_id=report.batch_id) == 3
    assert sorted(CrossReference.objects.values_list("external_id", "record_id"), key=str) == before
    assert undo_batch(actor=owner_actor, now=now, batch_id=report.batch_id) == 0


def test_a_record_that_is_not_read_yet_is_recognized_when_it_is(flow, systems, owner_actor, now):
    report = apply_pairs(**given(systems, owner_actor, now, "c1,p77\n"))
    assert report.counts["link"] == 1
    vendor("erp").put("parties", "p77", name="Quite another name", phone="7")

    run_flow(flow, now + timedelta(minutes=1))

    record = CrossReference.objects.get(external_id="p77").record
    assert record.data == {"name": "Anvil", "phone": "7"}
    assert CanonicalRecord.objects.filter(entity="account").count() == 8
    taken = apply_pairs(**given(systems, owner_actor, now, "c1,p78\n"))
    assert taken.rows[0].message == "Anvil has another id in ERP."


def test_two_ids_of_one_system_are_told(flow, systems, owner_actor, now):
    apply_pairs(**given(systems, owner_actor, now, "c1,p1\n"))

    report = apply_pairs(**given(systems, owner_actor, now, "c1,p2\n"))

    assert report.rows[0].message.startswith("ERP holds both")


@pytest.mark.parametrize("text", ["", "left,right\n", "\n\n", "1," + "2" * 200_000])
def test_an_empty_or_unreadable_file_is_refused(flow, systems, owner_actor, now, text):
    with pytest.raises(UnableToReadPairs) as caught:
        apply_pairs(**given(systems, owner_actor, now, text))
    assert caught.value.field == "file"


def test_only_who_may(flow, systems, owner_actor, now):
    viewer = type(owner_actor)(owner_actor.kind, "v", "V", frozenset({"records.view"}), scope=None)

    with pytest.raises(NotPermitted):
        apply_pairs(**given(systems, viewer, now))
    assert RecordMerge.objects.count() == 0
