"""The mapping studio in the portal: preview, draft, value map, dry run, publication and the way back."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from apps.canonical.models import CustomField
from apps.connectors.sdk.errors import TransientError
from apps.flows.layers import mapped_objects
from apps.flows.models import IntegrationRevision, MappingOverride
from tests.sync.conftest import deploy, environment, fake_vendors, flow_of, run_flow, systems
from tests.sync.fake_vendor import vendor

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
COMPANIES = "crm/read/companies/"
PROJECTS = "erp/write/projects/"


@pytest.fixture
def integration(deploy, now):
    vendor("crm").put("companies", "c1", name="Initech", phone=" 0123 ", tier="gold")
    vendor("crm").put("deals", "d1", name="Big deal", stage="won", company="c1")
    made = deploy("opportunity-to-project")
    run_flow(flow_of(made), now)
    cache.clear()
    return made


@pytest.fixture
def studio(integration):
    return f"/manage/integrations/{integration.pk}/mapping/"


def row_of(response, name):
    return next(row for row in response.context["rows"] if row.target.name == name)


def test_the_editor_shows_fields_samples_and_where_each_value_comes_from(owner, studio):
    response = owner.get(studio + COMPANIES)

    assert response.status_code == 200
    name = row_of(response, "name")
    assert (name.target.required, name.layer_label, [o.value for o in name.outcomes]) == (
        True,
        "Connector",
        ["Initech"],
    )
    assert row_of(response, "status").layer_label == "Not mapped"
    found = {field.expression: field.samples for field in response.context["source_fields"]}
    assert found["record.tier"] == ["gold"]


def test_a_preview_shows_the_value_or_the_error_in_words(owner, studio):
    def preview(expression, field="phone"):
        data = {"field": field, f"map-{field}": expression}
        return owner.post(studio + COMPANIES + "preview/", data).content.decode()

    assert "0123" in preview("trim(record.phone)")
    assert "Unknown function &#x27;shout&#x27;" in preview("shout(record.phone)")
    assert "It takes a text." in preview("1 + 1")
    assert "Nothing comes out, and the target requires it." in preview("null", "name")
    assert MappingOverride.objects.count() == 0


def test_a_draft_is_kept_reset_and_published(owner, studio, integration):
    owner.post(studio + COMPANIES, {"map-phone": "trim(record.phone)", "map-name": 'get(record, "name")'})
    kept = MappingOverride.objects.get()
    edited = owner.get(studio + COMPANIES)
    listed = owner.get(studio)
    owner.post(studio + COMPANIES, {"reset": "phone"})

    assert (kept.field, kept.expression, kept.role) == ("phone", "trim(record.phone)", "crm")
    assert row_of(edited, "phone").layer_label == "This customer"
    assert [fields for _, fields in listed.context["changes"]] == [
        {"phone": ["as the connector does", "trim(record.phone)"]}
    ]
    assert MappingOverride.objects.count() == 0

    owner.post(studio + COMPANIES, {"map-phone": "trim(record.phone)", "layer": "partner"})
    owner.post(studio + "publish/", {"note": "Trim"})
    assert MappingOverride.objects.get().vendor == "fake_crm"
    assert IntegrationRevision.objects.get(number=2).note == "Trim"
    assert flow_of(integration).current_version.number == 2

    first = IntegrationRevision.objects.get(number=1)
    versions = f"/manage/integrations/{integration.pk}/versions/{first.pk}/"
    shown = owner.get(versions)
    owner.post(f"{versions}restore/")
    assert [(found.name, found.before, found.after) for found in shown.context["back"]] == [
        ("phone", "trim(record.phone)", "as the connector does")
    ]
    assert flow_of(integration).current_version.definition["mappings"][0]["fields"] == {}


def test_a_wrong_expression_is_told_and_what_was_typed_stays(owner, studio):
    response = owner.post(studio + COMPANIES, {"map-phone": "trim("})

    assert response.status_code == 422
    assert response.context["error"].field == "phone"
    assert row_of(response, "phone").expression == "trim("
    assert MappingOverride.objects.count() == 0


def test_what_would_refuse_sample_records_is_published_only_when_accepted(owner, studio, integration):
    owner.post(studio + COMPANIES, {"map-phone": "1 + 1"})

    refused = owner.post(studio + "publish/", follow=True).content.decode()
    assert "Mend it, or publish and say that you accept it." in refused
    assert flow_of(integration).current_version.number == 1

    owner.post(studio + "publish/", {"accepted": "1"})
    assert flow_of(integration).current_version.number == 2


def test_a_value_map_becomes_a_lookup_and_is_read_back(owner, studio, integration):
    values = studio + COMPANIES + "values/"
    owner.post(
        values,
        {
            "field": "status",
            "value": "record.tier",
            "from": ["gold", 'sil"ver', ""],
            "to": ["A", "B", ""],
            "default": "C",
        },
    )
    mapped = next(m for m in mapped_objects(integration) if m.place == ("crm", "read", "companies"))
    again = owner.get(values + "?field=status")

    assert mapped.customer == {"status": 'lookup({"gold": "A", "sil\\"ver": "B"}, record.tier, "C")'}
    assert again.context["pairs"][:2] == [("gold", "A"), ('sil"ver', "B")]
    assert (again.context["value"], again.context["default"]) == ("record.tier", "C")
    assert [o.value for o in row_of(owner.get(studio + COMPANIES), "status").outcomes] == ["A"]


def test_a_field_of_the_vendor_is_added_to_what_is_written_and_tried(owner, studio):
    owner.post(studio + PROJECTS, {"new_field": "code", "new_expression": '"P-" + record.name'})
    tried = owner.post(studio + "try/").content.decode()

    assert MappingOverride.objects.get().field == "code"
    assert "P-Big deal" in tried
    assert [project.get("code") for project in vendor("erp").all("projects")] == [None]


def test_a_system_that_does_not_answer_is_told(owner, studio):
    vendor("crm").read_failures.append(TransientError("The system is down."))
    response = owner.get(studio + COMPANIES)

    assert response.status_code == 200
    assert "The system is down." in response.content.decode()


def test_it_is_for_those_who_manage_integrations(viewer, studio):
    assert viewer.get(studio).status_code == 403
    assert viewer.get(studio + COMPANIES).status_code == 403
    assert viewer.post(studio + COMPANIES, {"map-phone": "record.phone"}).status_code == 403


def test_an_object_that_the_integration_does_not_use_is_not_found(owner, studio):
    assert owner.get(studio + "crm/read/moons/").status_code == 404
    assert owner.get(studio + "crm/sideways/companies/").status_code == 404


def test_a_field_of_ones_own_is_added_and_mapped(owner, studio, integration):
    given = {"entity": "account", "key": "tier", "label": "Tier", "kind": "text"}
    owner.post(studio + "fields/", given)
    refused = owner.post(studio + "fields/", given, follow=True).content.decode()
    listed = owner.get(studio)

    assert "There is such a field already." in refused
    assert [(f.name, f.only_for_id) for f in listed.context["declared"]] == [("x_tier", integration.customer_id)]
    owner.post(studio + COMPANIES, {"map-x_tier": 'get(record, "tier")'})
    assert [o.value for o in row_of(owner.get(studio + COMPANIES), "x_tier").outcomes] == ["gold"]

    field = CustomField.objects.get(key="tier")
    owner.post(studio + "fields/", {"archive": str(field.pk)})
    assert owner.get(studio).context["declared"] == []
    assert owner.post(studio + "fields/", {"archive": str(integration.pk)}).status_code == 404
    owner.post(studio + "fields/", given)
    assert [f.pk for f in owner.get(studio).context["declared"]] == [field.pk]
