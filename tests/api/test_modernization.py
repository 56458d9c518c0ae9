"""Old interfaces, waves and comparisons over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.modernization.models import InterfaceStatus, LegacyInterface, MigrationWave, ParallelRun
from tests.api.conftest import ApiClient, make_key
from tests.modernization.conftest import Estate, make_estate

ROWS = [{"No": "I-1", "Gross": 10.0}, {"No": "I-2", "Gross": "20.00"}, {"No": "I-3", "Gross": "1"}]


@pytest.fixture
def estate(partner: object, owner_actor: Actor, now: datetime) -> Estate:
    return make_estate(owner_actor, now)


def body(estate: Estate, **fields: Any) -> dict[str, Any]:
    own = {"name": "Nightly", "kind": "file_drop", "source": "ERP", "target": "Billing", "entity": "invoice"}
    ids = {"customer": encode_id("cus", estate.customer.pk), "integration": encode_id("itg", estate.integration.pk)}
    return {**own, **ids, **fields}


def test_interfaces_and_waves_are_written_down_once_and_changed(api: ApiClient, estate: Estate) -> None:
    wave = api.post("/migration-waves", {"customer": body(estate)["customer"], "name": "Money"}).json()
    given = body(estate, wave=wave["id"])

    made = api.post("/legacy-interfaces", given, key="k1")
    again = api.post("/legacy-interfaces", given, key="k1")
    refused = api.post("/legacy-interfaces", {**given, "name": "NIGHTLY"})

    assert (made.status_code, again.json()["id"], LegacyInterface.objects.count()) == (201, made.json()["id"], 1)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/name")
    path = f"/legacy-interfaces/{made.json()['id']}"
    other = api.post("/legacy-interfaces", body(estate, name="Base")).json()
    changed = api.patch(path, {"owner": "Marta", "depends_on": [other["id"]]}).json()
    assert (changed["owner"], changed["depends_on"], changed["wave"]) == ("Marta", [other["id"]], wave["id"])
    assert [row["name"] for row in api.get("/legacy-interfaces", status="in_use", limit=1).json()["data"]] == ["Base"]
    assert api.get("/legacy-interfaces", status="odd").status_code == 400
    assert api.get(f"/migration-waves/{wave['id']}").json()["interface_count"] == 1
    assert api.patch(f"/migration-waves/{wave['id']}", {"goal": "Paid"}).json()["goal"] == "Paid"
    assert api.client.delete(f"/api/v1/migration-waves/{wave['id']}").status_code == 409
    assert api.client.delete(f"/api/v1{path}").status_code == 204
    assert api.client.delete(f"/api/v1/migration-waves/{wave['id']}").status_code == 204
    assert MigrationWave.objects.count() == 0


def test_a_wave_counts_what_is_cut_over_and_retired(api: ApiClient, estate: Estate) -> None:
    wave = api.post("/migration-waves", {"customer": body(estate)["customer"], "name": "Money"}).json()["id"]
    for number, status in enumerate(InterfaceStatus.values):
        api.post("/legacy-interfaces", body(estate, name=f"No. {number}", wave=wave))
        LegacyInterface.objects.filter(name=f"No. {number}").update(status=status)

    (told,) = api.get("/migration-waves").json()["data"]

    assert (told["interface_count"], told["done_count"]) == (4, 2)


def test_rows_are_compared_and_findings_accepted(api: ApiClient, estate: Estate) -> None:
    interface = estate.interface()
    estate.invoice("I-1", 1000)
    invoice = estate.invoice("I-2", 2100)
    path = f"/legacy-interfaces/{encode_id('lif', interface.pk)}"

    asked = {"rows": ROWS, "columns": {"No": "number", "Gross": "total"}, "keys": ["number"]}
    made = api.post(f"{path}/parallel-runs", asked, key="once")
    assert api.post(f"{path}/parallel-runs", asked, key="once").json()["id"] == made.json()["id"]
    assert (made.status_code, made.json()["status"], made.json()["columns"]) == (202, "queued", asked["columns"])
    run = f"/parallel-runs/{made.json()['id']}"
    estate.carry_out(ParallelRun.objects.get())

    done = api.get(run).json()
    assert (done["status"], done["open"]) == ("done", 2)
    assert {name: count for name, count in done["counts"].items() if count} == {
        "old": 3, "new": 2, "equal": 1, "different": 1, "only_old": 1, "finding": 2,
    }  # fmt: skip
    (row,) = api.get(f"{run}/findings", kind="different").json()["data"]
    assert (row["key"], row["field"], row["old"], row["new"]) == ("I-2", "total", "20", "21")
    assert row["record"] == encode_id("rec", invoice.pk)
    assert api.get(f"{run}/findings", field="total").json()["data"] == [row]
    assert api.post(f"{run}/accept", {"reason": "Known"}).status_code == 400
    accepted = {"kind": "different", "field": "total", "reason": "Rounding"}
    assert api.post(f"{run}/accept", accepted).json() == {"accepted": 1, "open": 1}
    (left,) = api.get(f"{run}/findings", state="open").json()["data"]
    assert api.post(f"{run}/accept", {"finding": left["id"], "reason": "Test row"}).json()["open"] == 0
    assert api.post(f"{run}/cancel").status_code == 409
    assert len(api.get(f"{path}/parallel-runs").json()["data"]) == 1


def test_csv_is_guessed_and_what_will_not_do_is_told(api: ApiClient, estate: Estate) -> None:
    path = f"/legacy-interfaces/{encode_id('lif', estate.interface().pk)}/parallel-runs"
    system = f"@{encode_id('con', estate.billing.pk)}"

    made = api.post(path, {"csv": "Invoice No,Gross amount\nI-1,10\n"}).json()
    by_id = api.post(path, {"csv": "Id,Gross\nI-1,10\n", "columns": {"Id": system, "Gross": "total"}, "keys": [system]})
    refused = api.post(path, {"csv": "A,B\n1,2\n", "columns": {"A": "gizmo"}, "keys": ["gizmo"]})

    assert (made["columns"], made["keys"]) == ({"Invoice No": "number", "Gross amount": "total"}, ["number"])
    assert by_id.json()["keys"] == [system]
    assert (refused.status_code, refused.json()["code"]) == (400, "unable_to_compare")
    assert api.post(path, {"rows": ROWS, "csv": "x"}).status_code == 400
    assert ParallelRun.objects.filter(status="draft").count() == 0


def test_the_checklist_decides_and_a_key_overrides_nothing(api: ApiClient, estate: Estate) -> None:
    path = f"/legacy-interfaces/{encode_id('lif', estate.interface().pk)}"

    added = api.post(f"{path}/checklist", {"text": "Ask the auditor"}).json()
    point = added["checks"][-1]["point"]
    ticked = api.patch(f"/checklist-points/{point}", {"is_done": True}).json()
    refused = api.post(f"{path}/cut-over")

    assert (added["is_ready"], added["checks"][-1]["holds"], ticked["checks"][-1]["holds"]) == (False, False, True)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    assert api.post(f"{path}/roll-back", {"reason": "x"}).status_code == 409
    assert api.post(f"{path}/retire").status_code == 409
    assert api.client.delete(f"/api/v1/checklist-points/{point}").status_code == 204


def test_a_list_is_planned_and_applied(api: ApiClient, estate: Estate) -> None:
    path = f"/customers/{encode_id('cus', estate.customer.pk)}/interfaces"
    text = "name,kind,source,target,wave\nNightly,script,ERP,CRM,First\n"

    planned = api.post(f"{path}/plan", {"text": text}).json()
    assert [(entry["what"], entry["action"]) for entry in planned["entries"]] == [
        ("wave", "create"),
        ("interface", "create"),
    ]
    assert LegacyInterface.objects.count() == 0
    assert api.post(f"{path}/apply", {"text": text}).json()["is_empty"] is False
    assert api.post(f"{path}/apply", {"text": text}).json()["is_empty"] is True
    assert api.post(f"{path}/apply", {"text": "name,kind\nX,odd\n"}).status_code == 400
    changed, wrong = (
        api.post(f"{path}/plan", {"text": f"name,kind\nNightly,{kind}\n"}).json() for kind in ("by_hand", "odd")
    )
    assert changed == {"is_empty": False, "entries": [{
        "what": "interface", "name": "Nightly", "action": "change", "line": 2, "problems": [],
        "details": [{"name": "kind", "before": "script", "after": "by_hand"}],
    }]}  # fmt: skip
    assert (wrong["is_empty"], [len(entry["problems"]) for entry in wrong["entries"]]) == (False, [1])


def test_a_key_of_one_customer_reaches_nothing_of_another(
    partner: object, owner_actor: Actor, now: datetime, estate: Estate
) -> None:
    other = make_estate(owner_actor, now, "Northwind")
    scopes = ["integrations.view", "integrations.manage", "records.view"]
    bound = ApiClient(make_key(owner_actor, now, scopes=scopes, customer_id=other.customer.pk)[1])
    mine = other.interface("Mine")
    theirs = encode_id("lif", estate.interface("Theirs").pk)

    assert [row["name"] for row in bound.get("/legacy-interfaces").json()["data"]] == ["Mine"]
    assert bound.get(f"/legacy-interfaces/{theirs}").status_code == 404
    linked = bound.patch(f"/legacy-interfaces/{encode_id('lif', mine.pk)}", {"depends_on": [theirs]})
    assert linked.status_code == 404
    assert bound.post("/legacy-interfaces", body(estate)).status_code == 404


def test_a_csv_that_can_be_read_in_two_ways_is_not_guessed(api: ApiClient, estate: Estate) -> None:
    interface = estate.interface()
    estate.invoice("I-1", 123400, issue_date="2026-03-04")
    path = f"/legacy-interfaces/{encode_id('lif', interface.pk)}/parallel-runs"
    own = {"csv": "No;Day;Gross\nI-1;03/04/2026;1,234\n", "keys": ["number"]}
    asked = {**own, "columns": {"No": "number", "Day": "issue_date", "Gross": "total"}}

    pointers = [
        api.post(path, {**asked, **said}).json()["errors"][0]["pointer"] for said in ({}, {"decimal": "."})
    ]  # fmt: skip
    assert (pointers, ParallelRun.objects.count()) == (["/decimal", "/dates"], 0)
    made = api.post(path, {**asked, "decimal": ".", "dates": "%m/%d/%Y"})
    assert made.status_code == 202
    assert estate.carry_out(ParallelRun.objects.get()).equal_count == 1
