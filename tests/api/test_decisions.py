"""Contradicting values, stopped deletions, policies and rules over the API, within what the key may see."""

from __future__ import annotations

import pytest

from apps.canonical.models import MatchPolicy
from apps.core.ids import encode_id
from apps.flows.models import FieldPolicy
from apps.sync.models import DeletionReview, SyncRun
from tests.api.conftest import ApiClient, make_key
from tests.factories.world import World, make_world


@pytest.fixture
def world(partner: object) -> World:
    return make_world("Harbor")


def send(api: ApiClient, method: str, path: str, body: object = None) -> object:
    call = getattr(api.client, method)
    return call(f"/api/v1{path}", body or {}, content_type="application/json")


def test_a_value_is_decided_once(api: ApiClient, world: World) -> None:
    listed = api.get("/value-questions").json()["data"]
    assert [(q["field"], q["known"], q["other"], q["record_title"]) for q in listed] == [
        ("phone", "1", "2", "Harbor of Harbor")
    ]
    path = f"/value-questions/{listed[0]['id']}"
    assert api.get(path).json() == listed[0]
    assert api.post(f"{path}/answer", {"answer": "mine"}).status_code == 400

    answered = api.post(f"{path}/answer", {"answer": "theirs"}, key="k1")

    world.records["account"].refresh_from_db()
    assert (answered.json()["answer"], world.records["account"].data["phone"]) == ("theirs", "2")
    assert api.post(f"{path}/answer", {"answer": "theirs"}, key="k1").json() == answered.json()
    assert api.post(f"{path}/answer", {"answer": "ours"}).status_code == 404


def test_deletions_are_refused(api: ApiClient, world: World) -> None:
    listed = api.get("/deletion-reviews").json()["data"]
    assert [(r["object"], r["count"], r["total"], r["is_removal"]) for r in listed] == [("companies", 38, 100, False)]
    path = f"/deletion-reviews/{listed[0]['id']}"
    assert api.get(path).json()["external_ids"] == ["1"]

    assert api.post(f"{path}/answer", {"answer": "reject"}).json()["status"] == "rejected"

    assert DeletionReview.objects.get().status == "rejected"
    assert api.post(f"{path}/answer", {"answer": "approve"}).status_code == 404


def test_a_full_comparison_is_started(api: ApiClient, world: World) -> None:
    flow = world.flows["accounts"]

    answer = api.post(f"/flows/{encode_id('flw', flow.pk)}/compare")

    assert (answer.status_code, answer.json()["trigger"]) == (202, "reconcile")
    assert SyncRun.objects.filter(flow=flow, trigger="reconcile", status="queued").count() == 1


def test_field_policies_are_read_set_and_reset(api: ApiClient, world: World) -> None:
    path = f"/integrations/{encode_id('itg', world.integrations['two-way-accounts'].pk)}/field-policies"
    before = {(p["entity"], p["field"]): p for p in api.get(path).json()}
    assert (before["account", "phone"]["policy"], before["account", "*"]["id"]) == ("ask", None)

    wrong = send(api, "put", path, {"entity": "account", "field": "email", "policy": "system_of_record"})
    saved = send(api, "put", path, {"entity": "account", "field": "@deleted", "policy": "propagate"})

    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/role")  # type: ignore[attr-defined]
    made = next(p for p in saved.json() if p["field"] == "@deleted" and p["entity"] == "account")  # type: ignore[attr-defined]
    assert made["policy"] == "propagate"
    assert send(api, "delete", f"/field-policies/{made['id']}").status_code == 204  # type: ignore[attr-defined]
    assert list(FieldPolicy.objects.values_list("field", flat=True)) == ["phone"]


def test_rules_are_the_partners_or_one_customers(api: ApiClient, world: World) -> None:
    customer = encode_id("cus", world.customer.pk)
    shipped = {rules["entity"]: rules for rules in api.get("/match-rules").json()}
    assert (shipped["account"]["merge_score"], shipped["account"]["origin"]) == (80, "shipped")

    given = {"merge_score": 101, "ask_score": 40, "points": {"phone": 0}}
    own = send(api, "put", f"/match-rules/account?customer={customer}", given)

    assert own.json()["origin"] == "customer"  # type: ignore[attr-defined]
    assert [r["points"] for r in own.json()["rules"] if r["key"] == "phone"] == [0]  # type: ignore[attr-defined]
    assert MatchPolicy.objects.get().owner_key == world.customer.subject_key
    assert {r["entity"]: r["origin"] for r in api.get("/match-rules").json()}["account"] == "shipped"
    assert send(api, "put", "/match-rules/account", {**given, "ask_score": 0}).status_code == 400  # type: ignore[attr-defined]
    assert send(api, "put", "/match-rules/invoice", given).status_code == 400  # type: ignore[attr-defined]
    back = send(api, "delete", f"/match-rules/account?customer={customer}")
    assert (back.json()["origin"], MatchPolicy.objects.count()) == ("shipped", 0)  # type: ignore[attr-defined]


def test_a_customers_key_stays_within_its_customer(bound: ApiClient, brightwater: object, world: World) -> None:
    assert world.value_question is not None
    assert world.deletions is not None
    assert bound.get("/value-questions").json()["data"] == []
    question = encode_id("vqu", world.value_question.pk)
    assert bound.post(f"/value-questions/{question}/answer", {"answer": "ours"}).status_code == 404
    review = encode_id("drv", world.deletions.pk)
    assert bound.post(f"/deletion-reviews/{review}/answer", {"answer": "approve"}).status_code == 404
    foreign = send(bound, "put", f"/match-rules/account?customer={encode_id('cus', world.customer.pk)}", {})
    assert foreign.status_code == 404  # type: ignore[attr-defined]

    own = send(bound, "put", "/match-rules/account", {"merge_score": 90, "ask_score": 40})

    assert own.json()["origin"] == "customer"  # type: ignore[attr-defined]
    assert MatchPolicy.objects.get().owner_key == brightwater.subject_key  # type: ignore[attr-defined]


def test_a_reader_decides_nothing(owner_actor, now, world: World) -> None:
    reader = ApiClient(make_key(owner_actor, now, scopes=["records.view"])[1])
    assert world.value_question is not None
    question = encode_id("vqu", world.value_question.pk)

    assert reader.get(f"/value-questions/{question}").status_code == 200
    assert reader.post(f"/value-questions/{question}/answer", {"answer": "ours"}).status_code == 403
    assert send(reader, "put", "/match-rules/account", {}).status_code == 403  # type: ignore[attr-defined]
    assert reader.post("/id-pair-imports", {}).status_code == 403
