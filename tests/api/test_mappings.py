"""Mappings over the API: read with layers, changed as a draft, published."""

from __future__ import annotations

from apps.core.ids import encode_id
from apps.flows.models import MappingOverride
from tests.api.conftest import ApiClient, make_key
from tests.sync.conftest import deploy, environment, fake_vendors, flow_of, systems
from tests.sync.fake_vendor import vendor

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
CHANGE = {"role": "crm", "direction": "read", "object": "companies"}


def put(api, path, body):
    return api.client.put(f"/api/v1{path}", body, content_type="application/json")


def field(answer, name):
    companies = next(o for o in answer.json()["objects"] if (o["role"], o["object"]) == ("crm", "companies"))
    return next(f for f in companies["mapping"] if f["name"] == name)


def test_a_field_is_changed_published_and_reset(api, deploy):
    integration = deploy("opportunity-to-project")
    path = f"/integrations/{encode_id('itg', integration.pk)}/mappings"

    before = api.get(path)
    changed = put(api, path, {**CHANGE, "changes": {"phone": "trim(record.phone)"}})
    published = api.post(f"{path}/publish", {"note": "Trim"})
    again = api.post(f"{path}/publish")

    assert (before.json()["is_published"], field(before, "phone")["layer"]) == (True, "connector")
    assert changed.json()["is_published"] is False
    assert field(changed, "phone") == {"name": "phone", "expression": "trim(record.phone)", "layer": "customer"}
    assert published.json()["is_published"] is True
    assert flow_of(integration).current_version.number == 2
    assert again.status_code == 409

    put(api, path, {**CHANGE, "changes": {"phone": None}})
    assert MappingOverride.objects.count() == 0


def test_a_wrong_expression_is_told_at_its_field(api, deploy):
    integration = deploy("opportunity-to-project")
    path = f"/integrations/{encode_id('itg', integration.pk)}/mappings"

    answer = put(api, path, {**CHANGE, "changes": {"phone": "shout(record.phone)"}})

    assert answer.status_code == 400
    assert "unknown function 'shout'" in answer.content.decode().lower()
    assert MappingOverride.objects.count() == 0


def test_what_would_refuse_sample_records_is_published_only_when_accepted(api, deploy):
    vendor("crm").put("companies", "c1", name="Anvil")
    integration = deploy("opportunity-to-project")
    path = f"/integrations/{encode_id('itg', integration.pk)}/mappings"
    put(api, path, {**CHANGE, "changes": {"phone": "1 + 1"}})

    refused = api.post(f"{path}/publish")
    accepted = api.post(f"{path}/publish", {"accepted": True})

    assert (refused.status_code, refused.json()["code"]) == (400, "mapping_refused")
    assert refused.json()["errors"][0]["pointer"] == "/phone"
    assert (accepted.status_code, flow_of(integration).current_version.number) == (200, 2)


def test_a_key_without_the_scope_is_refused(owner_actor, now, deploy):
    integration = deploy("opportunity-to-project")
    reader = ApiClient(make_key(owner_actor, now, scopes=["integrations.view"])[1])
    path = f"/integrations/{encode_id('itg', integration.pk)}/mappings"

    assert reader.get(path).status_code == 403
    assert put(reader, path, {**CHANGE, "changes": {"phone": "record.phone"}}).status_code == 403
