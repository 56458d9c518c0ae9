"""The partner's layer over all customers: who does it, what publishing changes, and its publication."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.flows.models import MappingOverride
from apps.flows.partner_layer import integrations_of_layer, partner_objects, standings
from apps.flows.services import Publication, UnableToMap, change_partner_fields, publish_to, save_mapping
from tests.sync.conftest import deploy, environment, fake_vendors, flow_of, systems
from tests.sync.fake_vendor import vendor

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
COMPANIES = ("crm", "read", "companies")
PLACE = {"vendor": "fake_crm", "direction": "read", "object_name": "companies"}


@pytest.fixture
def change(owner_actor, now):
    return lambda **fields: change_partner_fields(actor=owner_actor, now=now, fields=fields, **PLACE)


def stand(actor):
    return {s.integration.pk: s for s in standings(list(integrations_of_layer(actor)))}


def test_it_shows_who_does_not_do_it_yet(deploy, owner_actor, now, change):
    one, other = deploy("opportunity-to-project"), deploy("payment-status")
    save_mapping(
        actor=owner_actor, now=now, integration=one, place=COMPANIES, fields={"website": "lower(record.website)"}
    )
    change(phone="trim(record.phone)")

    found = stand(owner_actor)

    (shown,) = partner_objects()
    assert (shown.vendor_name, shown.entity, [row.field for row in shown.fields]) == ("Fake Crm", "account", ["phone"])
    assert (found[one.pk].from_partner, found[one.pk].others) == (1, 1)
    assert (found[other.pk].from_partner, found[other.pk].others, found[other.pk].is_current) == (1, 0, False)


def test_publishing_puts_it_in_force_and_taking_back_shows_again(deploy, owner_actor, now, change):
    integration = deploy("opportunity-to-project")
    change(phone="trim(record.phone)")

    (outcome,) = publish_to(actor=owner_actor, now=now, integrations=[integration])
    (again,) = publish_to(actor=owner_actor, now=now, integrations=[integration])
    assert (outcome.status, again.status) == (Publication.PUBLISHED, Publication.UNCHANGED)
    assert flow_of(integration).current_version.number == 2
    assert stand(owner_actor)[integration.pk].is_current

    change(phone=None)
    standing = stand(owner_actor)[integration.pk]
    assert (standing.from_partner, standing.others, MappingOverride.objects.count()) == (1, 0, 0)
    publish_to(actor=owner_actor, now=now, integrations=[integration])
    assert integration.pk not in stand(owner_actor)


def test_what_one_refuses_keeps_no_other_back(deploy, owner_actor, now, change):
    vendor("crm").put("companies", "c1", name="Anvil", phone=" 1 ")
    refusing, other = deploy("opportunity-to-project"), deploy("payment-status")
    change(phone="trim(record.phone)")
    save_mapping(actor=owner_actor, now=now, integration=refusing, place=COMPANIES, fields={"website": "1 + 1"})

    outcomes = publish_to(actor=owner_actor, now=now, integrations=[refusing, other])

    assert [outcome.status for outcome in outcomes] == [Publication.REFUSED, Publication.PUBLISHED]
    assert "Companies, website" in outcomes[0].message


@pytest.mark.parametrize(
    ("fields", "problem"), [({"phone": "shout(1)"}, "shout"), ({"nosuch": "1"}, "nosuch"), ({"name": ""}, "required")]
)
def test_what_cannot_be_is_refused_at_its_field(deploy, change, fields, problem):
    with pytest.raises(UnableToMap, match=problem):
        change(**fields)
    assert MappingOverride.objects.count() == 0


def test_only_objects_that_there_are_and_only_the_partners_own_people(partner, owner_actor, environment, now, change):
    with pytest.raises(NotVisible):
        change_partner_fields(actor=owner_actor, now=now, fields={}, **{**PLACE, "object_name": "planets"})
    narrow = Actor(
        kind=ActorKind.API_KEY, id="k", label="Key", permissions=owner_actor.permissions,
        scope=frozenset({environment.customer_id}),
    )  # fmt: skip
    with pytest.raises(NotPermitted):
        change_partner_fields(actor=narrow, now=now, fields={"phone": "record.phone"}, **PLACE)


def test_who_may_not_write_templates_changes_nothing_for_all(deploy, owner_actor, now):
    integration = deploy("opportunity-to-project")
    actor = replace(owner_actor, permissions=frozenset({"integrations.manage"}))

    with pytest.raises(NotPermitted):
        save_mapping(
            actor=actor, now=now, integration=integration, place=COMPANIES, fields={"phone": "record.phone"},
            layer="partner",
        )  # fmt: skip
    assert MappingOverride.objects.count() == 0


def test_many_integrations_take_no_more_queries_than_one(deploy, owner_actor, change):
    for key in ("opportunity-to-project", "payment-status", "two-way-accounts"):
        deploy(key)
    change(phone="trim(record.phone)")
    found = list(integrations_of_layer(owner_actor))

    with CaptureQueriesContext(
        connection,
    ) as one:
        standings(found[:1])
    with CaptureQueriesContext(connection) as all_of_them:
        standings(found)

    assert len(found) == 3
    assert len(all_of_them) == len(one) == 4
