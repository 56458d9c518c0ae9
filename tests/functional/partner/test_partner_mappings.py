"""Mappings for all customers, as the partner's people see and publish them."""

from __future__ import annotations

from apps.flows.models import MappingOverride, MappingPublication
from apps.flows.services import carry_out_publication, change_partner_fields
from tests.browsing import Browser
from tests.sync.conftest import deploy, environment, fake_vendors, flow_of, systems

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
PAGE = "/manage/integrations/mappings/"
PLACE = {"vendor": "fake_crm", "direction": "read", "object_name": "companies"}


def change(actor, now, **fields):
    change_partner_fields(actor=actor, now=now, fields=fields, **PLACE)


def test_an_empty_layer_says_where_it_begins(partner, owner: Browser):
    assert "Nothing is changed for all customers" in owner.get(PAGE).content.decode()


def test_what_changes_is_seen_and_published_in_the_background(owner, deploy, owner_actor, now):
    integration = deploy("opportunity-to-project")
    change(owner_actor, now, phone="trim(record.phone)")

    before = owner.get(PAGE).content.decode()
    started = owner.post(f"{PAGE}publish/", {"integration": [str(integration.pk), "no id"], "note": "Trim"})
    watched = started["Location"]
    under_way = owner.get(watched).content.decode()
    carry_out_publication(publication_id=MappingPublication.objects.get().pk, now=lambda: now)
    part = owner.get(watched, headers={"HX-Request": "true"}).content.decode()
    after = owner.get(PAGE).content.decode()

    assert "trim(record.phone)" in before
    assert "1 field from here" in before
    assert f'hx-get="{watched}"' in under_way
    assert "Stop here?" in under_way
    assert "Published. Version 2" in part
    assert ("<html" in part, "hx-get" in part) == (False, False)
    assert "Not in force yet" not in after
    assert f'href="{watched}"' in after
    assert flow_of(integration).current_version.number == 2


def test_everybody_is_more_than_one_page(owner, deploy, owner_actor, now):
    made = {deploy(key).pk for key in ("opportunity-to-project", "payment-status")}
    change(owner_actor, now, phone="trim(record.phone)")

    started = owner.post(f"{PAGE}publish/", {"everybody": "1"})
    owner.post(f"{started['Location']}cancel/")
    nobody = owner.post(f"{PAGE}publish/", {})

    publication = MappingPublication.objects.get()
    assert (set(publication.integration_ids), publication.done_count) == (made, 0)
    assert publication.canceled_at is not None
    assert nobody["Location"] == PAGE


def test_a_field_is_changed_and_taken_back(owner, deploy, owner_actor, now):
    deploy("opportunity-to-project")
    change(owner_actor, now, phone="trim(record.phone)")
    form = {"vendor": "fake_crm", "direction": "read", "object": "companies", "field": "phone"}

    owner.post(f"{PAGE}change/", {**form, "expression": "lower(record.phone)"})
    assert MappingOverride.objects.get().expression == "lower(record.phone)"

    owner.post(f"{PAGE}change/", {**form, "back": "1"})
    assert MappingOverride.objects.count() == 0
