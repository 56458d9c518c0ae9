"""A colleague looks a record up, compares a doubtful pair, answers, and takes the answer back."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.canonical.models import CanonicalRecord, MatchPolicy, MatchQuestion, RecordMerge
from apps.canonical.selectors import search_records
from apps.sync.models import SyncRun
from tests.factories.world import World, make_world
from tests.functional.partner.conftest import SignIn


@pytest.fixture
def world(partner: object) -> World:
    return make_world("Harbor")


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def test_a_record_is_found_by_the_beginning_of_a_word_and_by_its_id_in_a_system(owner: Client, world: World) -> None:
    def found(text: str, **more: str) -> list[str]:
        table = owner.get(address("records"), {"q": text, **more}).context["table"]
        return [row.key for row in table.rows]

    invoice, project = world.records["invoice"], world.records["project"]
    assert found("rollo harb") == [str(project.pk)]
    assert found("P-7") == [str(project.pk)]
    assert found("X-Harbor") == [str(invoice.pk)]
    assert found("ollout") == []
    assert found("' & ) (|:*") == []
    assert found("harb", entity="invoice") == [str(invoice.pk)]


def test_the_list_says_a_state_as_the_record_does(owner: Client, world: World) -> None:
    CanonicalRecord.objects.filter(pk=world.records["invoice"].pk).update(state="partly_paid")

    listed, shown = (
        owner.get(url).content.decode() for url in (address("records"), address("record", world.records["invoice"].pk))
    )

    assert "Partly paid" in listed
    assert "Partly paid" in shown
    assert "partly_paid" not in listed


def test_searching_uses_the_index(partner: object, world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        with CaptureQueriesContext(connection) as queries:
            search_records(CanonicalRecord.objects.all(), "rollout")
        cursor.execute("EXPLAIN " + queries[-1]["sql"])
        plan = " ".join(line for (line,) in cursor.fetchall())

    assert "canonical_by_word" in plan


def test_a_records_page_tells_everything_within_its_budget(owner: Client, world: World) -> None:
    owner.get(address("home"))
    with CaptureQueriesContext(connection) as queries:
        response = owner.get(address("record", world.records["account"].pk))

    view, body = response.context["view"], response.content.decode()
    assert len([q for q in queries if not q["sql"].startswith("SET ")]) <= 18
    assert [e.title for e in view.entries] == ["Merged with “Port of Harbor”", "First seen in Hubspot of Harbor"]
    assert {label for label, _ in view.related} == {"project", "invoice"}
    assert "This may be the same as another record" in body


def test_the_timeline_says_what_where_why_and_by_which_run(owner: Client, world: World) -> None:
    view = owner.get(address("record", world.records["project"].pk)).context["view"]

    run = next(iter(world.runs.values()))
    assert sorted((e.title, e.actor, e.url) for e in view.entries if e.actor) == [
        (f"Created in {world.connections[role].name}", f"{run.flow.name} · schedule", f"/manage/runs/{run.pk}/")
        for role in ("delivery", "erp")
    ]


def test_a_pair_is_compared_and_merged(owner: Client, world: World) -> None:
    question = world.question
    assert question is not None
    listed = owner.get(address("questions"))
    assert [row.key for row in listed.context["table"].rows] == [str(question.pk)]
    page = owner.get(address("question", question.pk), {"take": "name"})
    fields = page.context["comparison"].fields
    assert [(f.name, f.left, f.right, f.chosen) for f in fields] == [
        ("name", "Harbour of Harbor", "Harbor of Harbor", "left")
    ]

    answer = owner.post(address("question_same", question.pk), {"take": "name"})

    assert (answer.status_code, answer["Location"]) == (302, address("questions"))
    merge = RecordMerge.objects.get(dropped_title__startswith="Harb", undone_at=None)
    assert (merge.kept.title, merge.merged_by_label) == ("Harbour of Harbor", "Owner")
    assert MatchQuestion.objects.count() == 0
    assert SyncRun.objects.filter(status="queued").count() == len(world.flows)

    owner.post(address("merge_undo", merge.pk))
    assert sorted(
        CanonicalRecord.objects.filter(title__endswith="of Harbor", entity="account").values_list("title", flat=True)
    ) == ["Harbor of Harbor", "Harbour of Harbor"]
    assert MatchQuestion.objects.get().status == "different"


def test_different_later_and_asking_again(owner: Client, world: World) -> None:
    question = world.question
    assert question is not None
    for name, status in (("later", "later"), ("reopen", "open"), ("different", "different")):
        assert owner.post(address(f"question_{name}", question.pk)).status_code == 302
        question.refresh_from_db()
        assert question.status == status
    assert "The same: merge" not in owner.get(address("question", question.pk)).content.decode()


def test_a_viewer_looks_and_leaves_it(viewer: Client, world: World) -> None:
    question, merge = world.question, world.merge
    assert question is not None
    assert merge is not None
    assert viewer.get(address("question", question.pk)).status_code == 200
    refused = [
        viewer.post(url).status_code
        for url in (
            address("question_same", question.pk), address("question_different", question.pk),
            address("merge_undo", merge.pk), address("match_rules_reset", "account"),
        )
    ]  # fmt: skip

    assert refused == [403] * 4
    assert MatchQuestion.objects.get().status == "open"
    assert owner_missing(viewer) == [404] * 3


def owner_missing(client: Client) -> list[int]:
    return [client.get(address(name, uuid4())).status_code for name in ("record", "question")] + [
        client.get(address("match_rules"), {"customer": str(uuid4())}).status_code
    ]


def test_rules_are_changed_for_all_and_for_one_and_reset(owner: Client, world: World, sign_in: SignIn) -> None:
    form = owner.get(address("match_rules_edit", "contact")).context["form"]
    given = {name: field.initial or form.initial[name] for name, field in form.fields.items()}
    customer = f"?customer={world.customer.pk}"

    wrong = owner.post(address("match_rules_edit", "contact"), {**given, "merge_score": 40, "ask_score": 60})
    owner.post(address("match_rules_edit", "contact"), {**given, "ask_score": 70, "rule_phone": 0, "rule_name": 50})
    owner.post(address("match_rules_edit", "contact") + customer, {**given, "ask_score": 80})

    assert "Enter at least the score from which a person is asked." in wrong.content.decode()
    partners, customers = MatchPolicy.objects.get(owner_key=""), MatchPolicy.objects.exclude(owner_key="").get()
    assert (partners.ask_score, partners.weights, partners.disabled) == (70, {"name": 50}, ["phone"])
    assert (customers.ask_score, customers.weights, customers.disabled) == (80, {}, [])
    owner.post(address("match_rules_reset", "contact") + customer)
    assert MatchPolicy.objects.count() == 1
    assert owner.get(address("match_rules")).context["policies"][1]["origin"] == "Your own"
