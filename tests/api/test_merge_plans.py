"""Imports of ids and joinings of customers over the API: prepared, looked at, carried out, undone."""

from __future__ import annotations

from apps.canonical.models import MergePlan, RecordMerge
from apps.core.actor import system_actor
from apps.core.ids import encode_id
from apps.flows.services import pause_integration
from apps.sync.services import carry_on_plan
from tests.api.conftest import ApiClient
from tests.conftest import NOW
from tests.factories.world import World, make_world


def work_off(plan_id: str) -> None:
    carry_on_plan(plan_id=MergePlan.objects.get(pk=plan_id.removeprefix("mpl_")).pk, now=NOW)


def quiet(name: str) -> World:
    world = make_world(name)
    for integration in world.integrations.values():
        pause_integration(actor=system_actor(), now=NOW, integration=integration)
    return world


def test_pairs_are_checked_carried_out_and_undone(api: ApiClient) -> None:
    world = make_world("Harbor")
    assert world.question is not None
    left, right = world.connections["crm"], world.connections["erp"]
    twins = (world.question.left, world.question.right)
    for twin, (connection, stream) in zip(twins, ((left, "companies"), (right, "parties")), strict=True):
        twin.cross_references.create(connection=connection, object_name=stream, external_id="77")
    body = {"entity": "account", "left": encode_id("con", left.pk), "right": encode_id("con", right.pk)}

    started = api.post("/id-pair-imports", {**body, "pairs": [["77", "77"], ["77", "78"]]}, key="k1")
    plan = started.json()
    work_off(plan["id"])

    assert (started.status_code, plan["status"], plan["total"]) == (202, "checking", 2)
    path = f"/merge-plans/{plan['id']}"
    assert api.get(path).json()["outcomes"] == {"error": 1, "merge": 1}
    lines = api.get(f"{path}/lines", outcome="error").json()["data"]
    assert [(line["line"], line["message"]) for line in lines] == [(2, "77 is on line 1 already.")]
    assert api.post(f"{path}/apply").json()["status"] == "applying"
    work_off(plan["id"])
    assert RecordMerge.objects.filter(batch_id__isnull=False, undone_at=None).count() == 1
    assert api.post(f"{path}/undo").status_code == 202
    work_off(plan["id"])
    assert (api.get(path).json()["status"], api.post(f"{path}/undo").status_code) == ("undone", 409)
    assert api.client.delete(f"/api/v1{path}").status_code == 409
    assert next(p["id"] for p in api.get("/merge-plans", source="id_pairs").json()["data"]) == plan["id"]
    assert api.post("/id-pair-imports", {**body, "pairs": [["1"]]}).status_code == 400


def test_two_customers_are_joined_with_a_persons_word(api: ApiClient, bound: ApiClient) -> None:
    world, joining = quiet("Harbor"), quiet("Quay")
    body = {"customer": encode_id("cus", world.customer.pk), "joining_customer": encode_id("cus", joining.customer.pk)}
    assert bound.post("/customer-joinings", body).status_code == 404
    plan = api.post("/customer-joinings", body).json()
    work_off(plan["id"])
    path = f"/merge-plans/{plan['id']}"
    account = next(row for row in api.get(f"{path}/lines").json()["data"] if row["left_title"] == "Harbor of Quay")
    chosen = {"record": encode_id("rec", world.records["account"].pk)}

    line = f"/api/v1{path}/lines/{account['line']}"
    decided = api.client.put(line, chosen, content_type="application/json").json()
    api.post(f"{path}/apply", {"prefers_joining": True})
    work_off(plan["id"])

    assert (decided["outcome"], decided["is_by_hand"]) == ("merge", True)
    world.records["account"].refresh_from_db()
    assert world.records["account"].data["name"] == "Harbor of Quay"
    assert api.get(path).json()["status"] == "applied"
    assert bound.get(path).status_code == 404
    assert bound.post(f"{path}/undo").status_code == 404
