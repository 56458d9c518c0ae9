"""Doubtful pairs: held, asked about, answered; merges that can be undone exactly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit.models import AuditEvent
from apps.canonical.models import (
    CanonicalChange,
    CanonicalLink,
    CanonicalRecord,
    CrossReference,
    MatchQuestion,
    QuestionStatus,
    RecordMerge,
)
from apps.canonical.selectors import compare
from apps.canonical.services import (
    UnableToAnswer,
    UnableToMerge,
    UnableToUnmerge,
    merge_records,
    reopen_question,
    set_match_policy,
    unmerge_records,
)
from apps.core.errors import NotPermitted, NotVisible
from apps.flows.services import go_live
from apps.sync.models import IntentKind, IntentStatus, RecordAction, RecordFailure, RecordLog, RunStatus, WriteIntent
from apps.sync.services import answer_different, answer_later, answer_same, preview_merge, undo_merge
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import VENDORS, vendor


@pytest.fixture
def live(deploy, owner_actor, now):
    integration = deploy("opportunity-to-project")
    go_live(actor=owner_actor, now=now, integration=integration)
    return flow_of(integration)


def seed_doubt() -> None:
    """The ERP knows a company by name alone; the CRM won a deal with one of that name."""
    vendor("erp").put("parties", "p1", name="Vulcan GmbH", phone="030 1234567")
    vendor("crm").put("companies", "c1", name="Vulcan", domain="vulcan.example", phone="999999")
    vendor("crm").put("deals", "d1", name="Forge rollout", stage="won", company="c1", close_date="2026-10-01")


def ask(live, now) -> MatchQuestion:
    seed_doubt()
    assert run_flow(live, now).status == RunStatus.PARTIAL
    return MatchQuestion.objects.select_related("left", "right").get()


def test_it_works(live, owner_actor, now):
    question = ask(live, now)

    assert (question.left.title, question.right.title, question.score) == ("Vulcan", "Vulcan GmbH", 50)
    assert question.reasons == [{"rule": "name", "label": "Same name, legal form aside", "points": 50}]
    assert [p["id"] for p in vendor("erp").all("parties")] == ["p1"]
    assert vendor("erp").all("projects") == []

    answer_same(actor=owner_actor, now=now, question=question)
    assert run_flow(live, now + timedelta(minutes=1)).status == RunStatus.SUCCEEDED

    assert [p["id"] for p in vendor("erp").all("parties")] == ["p1"]
    assert [p["party"] for p in vendor("erp").all("projects")] == ["p1"]
    account = CanonicalRecord.objects.get(entity="account")
    assert account.data == {"name": "Vulcan GmbH", "phone": "030 1234567", "domain": "vulcan.example"}
    assert sorted(account.cross_references.values_list("external_id", flat=True)) == ["c1", "p1"]


def test_what_waits_is_told_by_name_and_goes_through_by_itself(live, owner_actor, now):
    question = ask(live, now)

    failure = RecordFailure.objects.get(status="open")
    assert (failure.code, failure.record_title) == ("same_or_not", "Forge rollout")
    assert "may be the same as “Vulcan GmbH” in ERP" in failure.message

    answer_different(actor=owner_actor, now=now, question=question)
    assert run_flow(live, now + timedelta(minutes=1)).status == RunStatus.SUCCEEDED

    failure.refresh_from_db()
    assert failure.status == "resolved"
    assert [p["name"] for p in vendor("erp").all("parties")] == ["Vulcan GmbH", "Vulcan"]


def test_a_held_record_is_seen_in_the_log(live, now, systems):
    live.current_version.definition["rules"][2]["write"]["create"] = True
    live.current_version.save()
    seed_doubt()

    run = run_flow(live, now)

    log = RecordLog.objects.get(action=RecordAction.SKIPPED)
    assert (log.title, log.connection_id, run.skipped_count) == ("Vulcan", systems["erp"].pk, 1)
    assert [p["id"] for p in vendor("erp").all("parties")] == ["p1"]


def test_different_is_remembered(live, owner_actor, now):
    answer_different(actor=owner_actor, now=now, question=ask(live, now))
    CrossReference.objects.filter(external_id="c1").delete()
    CanonicalRecord.objects.filter(title="Vulcan").exclude(questions_as_newcomer=None).get()

    for minutes in (1, 2):
        vendor("crm").put("companies", "c1", name="Vulcan")
        run_flow(live, now + timedelta(minutes=minutes))

    assert MatchQuestion.objects.filter(status="different").count() == 1
    with pytest.raises(UnableToAnswer):
        answer_different(actor=owner_actor, now=now, question=MatchQuestion.objects.filter(status="different").get())


def test_later_keeps_holding(live, owner_actor, now):
    question = answer_later(actor=owner_actor, now=now, question=ask(live, now))

    run_flow(live, now + timedelta(minutes=1))

    assert question.status == QuestionStatus.LATER
    assert len(vendor("erp").all("parties")) == 1
    assert reopen_question(actor=owner_actor, now=now, question=question).status == "open"


def test_the_newcomer_can_be_right_in_single_fields(live, owner_actor, now):
    question = ask(live, now)

    compared = {f.name: (f.left, f.right, f.chosen) for f in compare(question, take=["phone"]).fields}
    merge = answer_same(actor=owner_actor, now=now, question=question, take=["phone"])

    assert compared["phone"] == ("999999", "030 1234567", "left")
    assert compared["name"] == ("Vulcan", "Vulcan GmbH", "right")
    assert compared["domain"] == ("vulcan.example", None, "left")
    merge.kept.refresh_from_db()
    assert merge.kept.data == {"name": "Vulcan GmbH", "phone": "999999", "domain": "vulcan.example"}


def test_the_preview_is_what_then_happens_and_changes_nothing(live, owner_actor, now):
    question = ask(live, now)
    with CaptureQueriesContext(connection) as queries:
        planned = preview_merge(actor=owner_actor, question=question)

    assert [q["sql"] for q in queries if not q["sql"].lstrip().startswith(("SELECT", "WITH"))] == []
    assert not any("FOR UPDATE" in q["sql"] or "advisory" in q["sql"] for q in queries)
    assert [(p.system, p.object_label, p.action, p.diff) for p in planned] == [
        ("ERP", "Parties", "update", {"domain": [None, "vulcan.example"]}),
    ]
    answer_same(actor=owner_actor, now=now, question=question)
    run_flow(live, now + timedelta(minutes=1))
    assert vendor("erp").objects["parties"]["p1"]["domain"] == "vulcan.example"


def test_undoing_a_merge_brings_everything_back(live, owner_actor, now):
    question = ask(live, now)
    before = fingerprint()
    merge = answer_same(actor=owner_actor, now=now, question=question)
    assert fingerprint() != before

    undo_merge(actor=owner_actor, now=now, merge=merge, ask_again=True)

    assert fingerprint() == before
    with pytest.raises(UnableToUnmerge):
        undo_merge(actor=owner_actor, now=now, merge=merge)
    actions = list(AuditEvent.objects.filter(action__startswith="records.").values_list("action", flat=True))
    assert sorted(actions) == ["records.merged", "records.unmerged"]


def test_after_a_parting_the_two_are_different_and_what_was_edited_stays(live, owner_actor, now):
    merge = answer_same(actor=owner_actor, now=now, question=ask(live, now))
    run_flow(live, now + timedelta(minutes=1))
    vendor("erp").put("parties", "p1", phone="777777")
    run_flow(live, now + timedelta(minutes=2))

    parted = undo_merge(actor=owner_actor, now=now, merge=merge)
    run_flow(live, now + timedelta(minutes=3))

    assert MatchQuestion.objects.get().status == QuestionStatus.DIFFERENT
    kept = CanonicalRecord.objects.get(pk=merge.kept_id)
    assert kept.data == {"name": "Vulcan GmbH", "phone": "777777"}
    assert parted.data == {"name": "Vulcan", "domain": "vulcan.example", "phone": "999999"}
    assert list(kept.cross_references.values_list("external_id", flat=True)) == ["p1"]


def test_two_ids_in_one_system_are_never_one(live, owner_actor, now):
    question = ask(live, now)
    twin = CrossReference.objects.get(external_id="p1")
    CrossReference.objects.create(
        record=question.left, connection=twin.connection, object_name=twin.object_name, external_id="p2"
    )

    with pytest.raises(UnableToMerge, match="ERP holds both"):
        answer_same(actor=owner_actor, now=now, question=question)


def test_a_write_under_way_has_to_end_first(live, owner_actor, now):
    question = ask(live, now)
    reference = CrossReference.objects.get(external_id="p1")
    WriteIntent.objects.create(
        customer_id=question.customer_id, environment_id=question.environment_id, flow=live, run_id=live.pk,
        connection=reference.connection, object_name="parties", record=question.right, kind=IntentKind.UPDATE, key="k",
        payload={}, record_version=1, status=IntentStatus.SENT, created_at=now,
    )  # fmt: skip

    with pytest.raises(UnableToMerge, match="at this moment"):
        answer_same(actor=owner_actor, now=now, question=question)
    assert RecordMerge.objects.count() == 0


def test_nobody_answers_for_others(live, owner_actor, now):
    question = ask(live, now)
    stranger = type(owner_actor)(owner_actor.kind, "s", "S", owner_actor.permissions, scope=frozenset())
    viewer = type(owner_actor)(owner_actor.kind, "v", "V", frozenset({"records.view"}), scope=None)

    with pytest.raises(NotVisible):
        answer_same(actor=stranger, now=now, question=question)
    with pytest.raises(NotPermitted):
        answer_different(actor=viewer, now=now, question=question)
    question.refresh_from_db()
    assert question.status == "open"


def test_a_customers_own_rules_decide(live, environment, owner_actor, now):
    set_match_policy(
        actor=owner_actor,
        now=now,
        entity="account",
        customer=environment.customer,
        merge_score=50,
        ask_score=50,
        weights={},
    )
    seed_doubt()

    assert run_flow(live, now).status == RunStatus.SUCCEEDED
    assert CanonicalRecord.objects.filter(entity="account").count() == 1


def fingerprint() -> tuple[object, ...]:
    """Everything but versions and the history, which only grows."""
    return (
        sorted(CanonicalRecord.objects.values_list("id", "title", "number", "state", "data__name", "data__phone", "data__domain"), key=str),
        sorted(CanonicalRecord.objects.values_list("id", "match_keys"), key=str),
        sorted(CrossReference.objects.values_list("id", "record_id", "external_id", "last_seen_hash"), key=str),
        sorted(CanonicalLink.objects.values_list("source_id", "name", "target_id"), key=str),
        sorted(MatchQuestion.objects.values_list("pair", "status", "score", "left_id", "asked_at"), key=str),
    )  # fmt: skip


WORDS = st.sampled_from(["", "1", "2"])
DATA = st.fixed_dictionaries({"phone": WORDS, "domain": WORDS, "email": WORDS})


@given(
    left=DATA, right=DATA, take=st.sets(st.sampled_from(["name", "phone", "domain", "email"])),
    linked=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["account", "contact"])), max_size=6),
    homes=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["crm", "erp", "billing"])), max_size=5),
    again=st.booleans(),
)  # fmt: skip
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merging_and_parting_returns_to_the_start(
    environment, systems, owner_actor, now, left, right, take, linked, homes, again
):
    VENDORS.clear()
    with transaction.atomic():
        records = [_record(environment, f"R{n}", data, now) for n, data in enumerate((left, right, {}, {}))]
        for source, target, name in linked:
            CanonicalLink.objects.get_or_create(source=records[source], name=name, defaults={"target": records[target]})
        for number, role in homes:
            CrossReference.objects.get_or_create(
                record=records[number], connection=systems[role], object_name="o",
                defaults={"external_id": f"{role}{number}"},
            )  # fmt: skip
        before = fingerprint()
        first, second, third = records[:3]
        done = []
        for pair in ((first, second), (first, third)) if again else ((first, second),):
            so_far = fingerprint()
            try:
                done.append(merge_records(actor=owner_actor, now=now, first=pair[0], second=pair[1], take=take))
            except UnableToMerge:
                assert fingerprint() == so_far
        for merge in reversed(done):
            unmerge_records(actor=owner_actor, now=now, merge=merge, ask_again=True)

        assert fingerprint() == before
        assert CanonicalChange.objects.values("record", "version").distinct().count() == CanonicalChange.objects.count()
        transaction.set_rollback(True)


def _record(environment, name, data, now) -> CanonicalRecord:
    held = {"name": name, **{key: value for key, value in data.items() if value}}
    from apps.canonical.promoted import match_keys, promoted

    return CanonicalRecord.objects.create(
        customer_id=environment.customer_id, environment=environment, entity="account", data=held,
        **promoted(held)._asdict(), match_keys=match_keys("account", held), created_at=now, changed_at=now,
    )  # fmt: skip
