"""Questions, answers and merges over the API, within what the key may see."""

from __future__ import annotations

from apps.canonical.models import MatchQuestion
from apps.core.ids import encode_id
from tests.api.conftest import ApiClient
from tests.factories.world import make_world


def test_a_question_is_read_answered_and_undone(api: ApiClient) -> None:
    world = make_world("Harbor")
    listed = api.get("/match-questions", status="open").json()["data"]
    assert [(q["left_title"], q["right_title"], q["score"]) for q in listed] == [
        ("Harbour of Harbor", "Harbor of Harbor", 60)
    ]
    path = f"/match-questions/{listed[0]['id']}"
    assert api.get(path).json()["reasons"] == [{"rule": "like_name", "label": "Similar name", "points": 60}]

    answered = api.post(f"{path}/answer", {"answer": "same"}, key="k1")
    again = api.post(f"{path}/answer", {"answer": "same"}, key="k1")

    merge = answered.json()["merge"]
    assert (answered.status_code, again.json()) == (200, answered.json())
    assert (merge["record"], merge["merged_title"]) == (
        encode_id("rec", world.records["account"].pk),
        "Harbour of Harbor",
    )
    assert len(api.get("/merges").json()["data"]) == 2
    undone = api.post(f"/merges/{merge['id']}/undo")
    assert undone.json()["undone_at"] is not None
    assert api.post(f"/merges/{merge['id']}/undo").status_code == 409
    assert MatchQuestion.objects.get().status == "different"


def test_other_answers_and_other_words(api: ApiClient) -> None:
    world = make_world("Harbor")
    assert world.question is not None
    path = f"/match-questions/{encode_id('mqu', world.question.pk)}/answer"

    assert api.post(path, {"answer": "perhaps"}).status_code == 400
    assert api.post(path, {"answer": "later"}).json()["question"]["status"] == "later"
    assert api.post(path, {"answer": "different"}).json()["question"]["status"] == "different"
    assert api.get("/match-questions", status="perhaps").status_code == 400


def test_a_strangers_question_is_not_there(bound: ApiClient) -> None:
    world = make_world("Harbor")
    assert world.question is not None

    assert bound.get("/match-questions").json()["data"] == []
    assert (
        bound.post(f"/match-questions/{encode_id('mqu', world.question.pk)}/answer", {"answer": "same"}).status_code
        == 404
    )
    assert world.merge is not None
    assert bound.post(f"/merges/{encode_id('mrg', world.merge.pk)}/undo").status_code == 404
    assert MatchQuestion.objects.get().status == "open"


def test_records_are_searched_and_have_a_timeline(api: ApiClient) -> None:
    world = make_world("Harbor")
    project = encode_id("rec", world.records["project"].pk)

    assert [r["id"] for r in api.get("/records", q="rollout").json()["data"]] == [project]
    timeline = api.get(f"/records/{project}/timeline").json()
    assert sorted((e["kind"], e["system"]) for e in timeline) == [
        ("changed", "Hubspot of Harbor"), ("created", ""), ("created", ""),
    ]  # fmt: skip
