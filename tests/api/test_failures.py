"""The error desk over the API, within what the key may see."""

from __future__ import annotations

from datetime import datetime

from apps.accounts.services import appoint, create_person
from apps.core.ids import encode_id
from apps.sync.models import FailureNote, FailureRetry, RecordFailure
from apps.sync.services import carry_out_retry
from tests.api.conftest import ApiClient
from tests.factories.world import World, make_world


def path_of(world: World, kind: str = "validation") -> str:
    return f"/failures/{encode_id('fai', world.failures[kind].pk)}"


def test_failures_are_read_by_cause_with_what_to_do(api: ApiClient) -> None:
    world = make_world("Harbor")

    groups = {group["fingerprint"]: group for group in api.get("/failure-groups").json()}
    listed = api.get("/failures", error_class="mapping").json()["data"]

    assert {name: group["count"] for name, group in groups.items()} == {"validation": 1, "mapping": 1}
    assert len(groups["mapping"]["trend"]) == 14
    assert [(f["message"], f["status"]) for f in listed] == [("No rule fits", "open")]
    detail = api.get(path_of(world)).json()
    assert detail["cause"].endswith("refused the record: Contact has no e-mail.")
    assert detail["next_step"].startswith("Correct the record where it is led")
    assert api.get("/failures", status="odd").status_code == 400


def test_a_failure_is_assigned_commented_snoozed_ignored_and_reopened(api: ApiClient, now: datetime) -> None:
    world = make_world("Harbor")
    person = create_person(email="sam@acme.example", name="Sam", password="correct horse battery", now=now)
    appoint(user=person, role="support", now=now)
    path = path_of(world)

    assert api.post(f"{path}/assign", {"assignee": "nobody@acme.example"}).status_code == 400
    assert api.post(f"{path}/assign", {"assignee": "sam@acme.example"}).json()["assignee"] == "Sam"
    assert api.post(f"{path}/snooze", {}).status_code == 409
    assert api.post(f"{path}/snooze", {"times": 2}).json()["snoozed_attempts"] == 3
    assert api.post(f"{path}/wake").json()["snoozed_attempts"] is None
    assert api.post(f"{path}/comment", {"text": "Asked them."}, key="k").status_code == 200
    assert api.post(f"{path}/comment", {"text": "Asked them."}, key="k").status_code == 200
    assert api.post(f"{path}/ignore", {"reason": "Test"}).json()["status"] == "ignored"
    assert api.post(f"{path}/reopen").json()["status"] == "open"
    assert api.post(f"{path}/reopen").status_code == 409

    kinds = [note["kind"] for note in api.get(f"{path}/activity").json()]
    assert kinds == ["reopened", "ignored", "comment", "woken", "snoozed", "assigned"]


def test_many_are_retried_watched_and_withdrawn(api: ApiClient, now: datetime) -> None:
    world = make_world("Harbor")
    assert api.post("/failure-retries", {}).status_code == 400

    started = api.post("/failure-retries", {"fingerprint": "validation"})

    retry = started.json()
    assert (started.status_code, retry["total"], retry["waiting"], retry["label"]) == (
        202,
        1,
        1,
        "fingerprint validation",
    )
    path = f"/failure-retries/{retry['id']}"
    carry_out_retry(retry_id=FailureRetry.objects.get(label=retry["label"]).pk, now=lambda: now)
    RecordFailure.objects.filter(pk=world.failures["validation"].pk).update(status="resolved")
    assert [api.get(path).json()[name] for name in ("resolved", "failed", "waiting")] == [1, 0, 0]
    assert api.post(f"{path}/cancel").status_code == 409
    other = api.post("/failure-retries", {"customer": encode_id("cus", world.customer.pk)}).json()
    assert api.post(f"/failure-retries/{other['id']}/cancel").json()["withdrawn"] == 1
    assert [row["id"] for row in api.get("/failure-retries").json()["data"]][:2] == [other["id"], retry["id"]]


def test_a_record_is_corrected(api: ApiClient) -> None:
    world = make_world("Harbor")
    path = f"{path_of(world)}/edit"
    found = api.get(path).json()
    name = next(field for field in found["fields"] if field["name"] == "name")
    assert (name["kind"], name["required"], name["value"]) == ("text", True, world.records["account"].data["name"])

    assert api.post(path, {"version": found["version"], "values": {"name": None}}).status_code == 409
    edited = api.post(path, {"version": found["version"], "values": {"name": "Harbour"}})

    world.records["account"].refresh_from_db()
    assert (edited.json()["status"], world.records["account"].data["name"]) == ("retrying", "Harbour")


def test_a_customers_key_sees_only_its_own_and_nothing_of_the_team(bound: ApiClient) -> None:
    world = make_world("Harbor")
    path = path_of(world)

    assert bound.get("/failures").json()["data"] == []
    assert bound.get("/failure-groups").json() == []
    assert [bound.post(f"{path}/{act}").status_code for act in ("retry", "wake", "reopen")] == [404] * 3
    assert bound.post("/failure-retries", {"fingerprint": "validation"}).status_code == 409
    assert FailureNote.objects.count() == 0
