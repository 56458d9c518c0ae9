"""Mappings for all customers, as the partner's people see and publish them."""

from __future__ import annotations

from apps.flows.models import MappingOverride
from apps.flows.services import change_partner_fields
from apps.partner_portal.views import partner_mappings
from tests.browsing import Browser
from tests.sync.conftest import deploy, environment, fake_vendors, flow_of, systems

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
PAGE = "/manage/integrations/mappings/"
PLACE = {"vendor": "fake_crm", "direction": "read", "object_name": "companies"}


def change(actor, now, **fields):
    change_partner_fields(actor=actor, now=now, fields=fields, **PLACE)


def test_an_empty_layer_says_where_it_begins(partner, owner: Browser):
    assert "Nothing is changed for all customers" in owner.get(PAGE).content.decode()


def test_what_changes_is_seen_and_published_step_by_step(owner, deploy, owner_actor, now):
    integration = deploy("opportunity-to-project")
    change(owner_actor, now, phone="trim(record.phone)")

    before = owner.get(PAGE).content.decode()
    step = owner.post(
        f"{PAGE}publish/", {"integration": [str(integration.pk)] * 1, "note": "Trim"}, headers={"HX-Request": "true"}
    ).content.decode()
    after = owner.get(PAGE).content.decode()

    assert "trim(record.phone)" in before
    assert "1 field from here" in before
    assert "Published. Version 2" in step
    assert "<html" not in step
    assert "Not in force yet" not in after
    assert flow_of(integration).current_version.number == 2


def test_more_than_one_step_asks_for_the_rest(owner, deploy, owner_actor, now, monkeypatch):
    monkeypatch.setattr(partner_mappings, "STEP", 1)
    keys = ("opportunity-to-project", "payment-status")
    made = [deploy(key) for key in keys]
    change(owner_actor, now, phone="trim(record.phone)")

    step = owner.post(
        f"{PAGE}publish/", {"integration": [str(found.pk) for found in made]}, headers={"HX-Request": "true"}
    ).content.decode()

    assert "1 more to come" in step
    assert step.count('name="integration"') == 1


def test_a_field_is_changed_and_taken_back(owner, deploy, owner_actor, now):
    deploy("opportunity-to-project")
    change(owner_actor, now, phone="trim(record.phone)")
    form = {"vendor": "fake_crm", "direction": "read", "object": "companies", "field": "phone"}

    owner.post(f"{PAGE}change/", {**form, "expression": "lower(record.phone)"})
    assert MappingOverride.objects.get().expression == "lower(record.phone)"

    owner.post(f"{PAGE}change/", {**form, "back": "1"})
    assert MappingOverride.objects.count() == 0
