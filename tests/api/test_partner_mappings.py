"""The partner's layer of mappings over the API."""

from __future__ import annotations

from apps.core.ids import encode_id
from apps.flows.models import MappingPublication
from apps.flows.services import carry_out_publication
from tests.api.conftest import ApiClient, make_key
from tests.sync.conftest import deploy, environment, fake_vendors, systems

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
CHANGE = {"vendor": "fake_crm", "direction": "read", "object": "companies"}


def put(api, changes, **more):
    body = {**CHANGE, "changes": changes, **more}
    return api.client.put("/api/v1/partner-mappings", body, content_type="application/json")


def test_a_field_is_changed_for_all_and_published(api, deploy, now):
    integration = encode_id("itg", deploy("opportunity-to-project").pk)

    changed = put(api, {"phone": "trim(record.phone)"})
    before = api.get("/partner-mappings/integrations").json()["data"]
    published = api.post("/partner-mappings/publish", {"integrations": [integration]}, key="once")
    watched = published.json()["id"]
    begun = api.get(f"/partner-mappings/publications/{watched}").json()
    carry_out_publication(publication_id=MappingPublication.objects.get().pk, now=lambda: now)
    ended = api.get("/partner-mappings/publications").json()["data"][0]
    after = api.get("/partner-mappings/integrations").json()["data"]

    (shown,) = changed.json()["objects"]
    assert (shown["vendor"], [field["name"] for field in shown["mapping"]]) == ("fake_crm", ["phone"])
    assert [(s["integration"], s["in_force"], s["fields_from_partner"]) for s in before] == [(integration, False, 1)]
    assert (published.status_code, begun["total"], begun["done"], begun["outcomes"]) == (202, 1, 0, [])
    assert (ended["id"], ended["done"]) == (watched, 1)
    assert ended["outcomes"] == [{"integration": integration, "status": "published", "message": "Version 2"}]
    assert api.post(f"/partner-mappings/publications/{watched}/cancel").status_code == 409
    assert [s["in_force"] for s in after] == [True]


def test_a_wrong_expression_is_told_at_its_field(api, deploy):
    deploy("opportunity-to-project")

    answer = put(api, {"phone": "shout(record.phone)"})

    assert answer.status_code == 400
    assert api.get("/partner-mappings").json() == {"objects": []}


def test_a_customers_key_changes_nothing_and_sees_its_own(api, deploy, owner_actor, now, stranger):
    integration = encode_id("itg", deploy("opportunity-to-project").pk)
    put(api, {"phone": "trim(record.phone)"})
    other = ApiClient(make_key(owner_actor, now, scopes=["integrations.manage"], customer_id=stranger.pk)[1])

    assert other.get("/partner-mappings/integrations").json()["data"] == []
    assert other.post("/partner-mappings/publish", {"integrations": [integration]}).status_code == 400
    assert (put(other, {"phone": None}).status_code, other.get("/partner-mappings").status_code) == (403, 403)
    assert api.get("/partner-mappings/integrations").json()["data"][0]["in_force"] is False


def test_what_holds_for_all_is_a_text_that_is_planned_and_applied(api, deploy, owner_actor, now, stranger):
    deploy("opportunity-to-project")
    put(api, {"phone": "trim(record.phone)"})

    text = api.get("/configuration").json()["yaml"]
    changed = {"yaml": text.replace("trim(record.phone)", "lower(record.phone)")}
    planned = api.post("/configuration/plan", changed)
    applied = api.post("/configuration/apply", changed)
    again = api.post("/configuration/plan", changed).json()
    other = ApiClient(make_key(owner_actor, now, scopes=["integrations.manage"], customer_id=stranger.pk)[1])

    change = [p for p in planned.json()["parts"] if p["action"] == "change"]
    assert [(part["part"], part["problems"]) for part in change] == [("mappings", [])]
    assert change[0]["details"] == [
        {
            "name": "fake_crm › read › companies › phone", "before": "trim(record.phone)",
            "after": "lower(record.phone)",
        }
    ]  # fmt: skip
    assert (applied.status_code, again["is_empty"]) == (200, True)
    assert api.post("/configuration/plan", {"yaml": "kind: [\n"}).status_code == 400
    assert other.get("/configuration").status_code == 403
