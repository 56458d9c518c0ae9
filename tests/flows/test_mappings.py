"""Layers of a mapping, their publication into flow versions, and what a run then does."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.audit.models import AuditEvent
from apps.canonical.models import CanonicalRecord
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.flows.definition import parse_flow
from apps.flows.layers import mapped_objects
from apps.flows.models import IntegrationRevision, MappingOverride
from apps.flows.services import (
    MappingRefused,
    NothingToPublish,
    UnableToChangeIntegration,
    UnableToMap,
    go_live,
    publish_mappings,
    restore_revision,
    save_mapping,
)
from apps.sync.services import dry_run
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

COMPANIES = ("crm", "read", "companies")
PARTIES = ("erp", "write", "parties")


@pytest.fixture
def integration(deploy):
    return deploy("opportunity-to-project")


@pytest.fixture
def save(integration, owner_actor, now):
    def save(place, layer="customer", **fields):
        save_mapping(actor=owner_actor, now=now, integration=integration, place=place, fields=fields, layer=layer)

    return save


@pytest.fixture
def publish(integration, owner_actor):
    return lambda at: publish_mappings(actor=owner_actor, now=at, integration=integration)


def mapped(integration, place):
    return next(found for found in mapped_objects(integration) if found.place == place)


def source_of(integration, place, name):
    found = next(s for s in mapped(integration, place).sources() if s.name == name)
    return (found.layer, found.expression, found.below)


def mappings_of(integration):
    return parse_flow(flow_of(integration).current_version.definition).mappings


def test_the_objects_are_those_that_the_flows_touch(integration):
    assert [found.place for found in mapped_objects(integration)] == [
        ("crm", "read", "companies"), ("crm", "read", "people"), ("crm", "read", "deals"),
        ("delivery", "read", "boards"), ("delivery", "read", "issues"),
        ("delivery", "write", "boards"), ("delivery", "write", "issues"),
        ("erp", "read", "parties"), ("erp", "read", "projects"),
        ("erp", "write", "parties"), ("erp", "write", "projects"),
    ]  # fmt: skip


def test_each_layer_covers_the_one_below_and_a_reset_uncovers_it(integration, save):
    standard = 'get(record, "phone")'
    assert source_of(integration, COMPANIES, "phone") == ("connector", standard, None)

    save(COMPANIES, layer="partner", phone="trim(record.phone)")
    assert source_of(integration, COMPANIES, "phone") == ("partner", "trim(record.phone)", standard)

    save(COMPANIES, phone="text(record.phone)")
    assert source_of(integration, COMPANIES, "phone") == ("customer", "text(record.phone)", "trim(record.phone)")

    save(COMPANIES, phone=None)
    assert source_of(integration, COMPANIES, "phone") == ("partner", "trim(record.phone)", standard)
    save(COMPANIES, layer="partner", phone=None)
    assert source_of(integration, COMPANIES, "phone") == ("connector", standard, None)
    assert MappingOverride.objects.count() == 0


def test_the_partners_layer_holds_for_other_integrations_with_the_vendor(integration, deploy, save):
    save(COMPANIES, layer="partner", phone="trim(record.phone)")
    other = deploy("opportunity-to-project")

    assert source_of(other, COMPANIES, "phone")[:2] == ("partner", "trim(record.phone)")
    assert [(m.object_name, m.fields, m.origins) for m in mappings_of(other)] == [
        ("companies", {"phone": "trim(record.phone)"}, {"phone": "partner"})
    ]
    assert mappings_of(integration) == []  # in force once it is published there


def test_a_template_layer_of_a_flow_holds_in_the_whole_integration(integration):
    definition = integration.template_version.definition
    definition["flows"][0]["reads"][1]["fields"] = {"phone": "upper(record.phone)"}
    integration.template_version.save()

    assert source_of(integration, COMPANIES, "phone")[:2] == ("template", "upper(record.phone)")


REFUSED = [
    (COMPANIES, "phone", "record.phone +", "phone"),
    (COMPANIES, "phone", "shout(record.phone)", "phone"),
    (COMPANIES, "fax", "record.fax", "fax"),
    (COMPANIES, "name", "", "name"),
    (PARTIES, "x" * 121, "record.name", "x" * 121),
]


@pytest.mark.parametrize("place, name, expression, field", REFUSED)
def test_what_cannot_be_mapped_is_refused_at_its_field(save, place, name, expression, field):
    with pytest.raises(UnableToMap) as raised:
        save(place, **{"phone" if place == COMPANIES else "email": "record.email", name: expression})

    assert raised.value.field == field
    assert MappingOverride.objects.count() == 0


def test_publishing_makes_one_new_version_and_keeps_the_way_back(integration, save, publish, now):
    save(COMPANIES, phone="trim(record.phone)")
    revision = publish(now)

    flow = flow_of(integration)
    assert (flow.current_version.number, revision.number) == (2, 2)
    assert [(m.role, m.object_name, m.fields, m.changed_at) for m in mappings_of(integration)] == [
        ("crm", "companies", {"phone": "trim(record.phone)"}, now.isoformat())
    ]
    assert list(IntegrationRevision.objects.order_by("number").values_list("number", "note")) == [
        (1, "As deployed"), (2, ""),
    ]  # fmt: skip
    assert AuditEvent.objects.filter(action="integration.published").count() == 1
    with pytest.raises(NothingToPublish):
        publish(now)


def test_a_changed_reading_reads_again_and_rollback_reads_the_old_way(integration, save, publish, owner_actor, now):
    vendor("crm").put("companies", "c1", name="Initech", phone=" 0123 ")
    flow = flow_of(integration)
    run_flow(flow, now)
    assert CanonicalRecord.objects.get(entity="account").data["phone"] == " 0123 "

    save(COMPANIES, phone="trim(record.phone)")
    published = publish(now.replace(hour=now.hour + 1))
    run_flow(flow_of(integration), now.replace(hour=now.hour + 2))
    assert CanonicalRecord.objects.get(entity="account").data["phone"] == "0123"

    first = IntegrationRevision.objects.get(number=1)
    restore_revision(actor=owner_actor, now=now.replace(hour=now.hour + 3), integration=integration, revision=first)
    run_flow(flow_of(integration), now.replace(hour=now.hour + 4))

    assert published.number == 2
    assert CanonicalRecord.objects.get(entity="account").data["phone"] == " 0123 "
    assert MappingOverride.objects.count() == 0
    assert flow_of(integration).current_version.number == 3


def test_a_changed_writing_is_planned_again_for_what_is_there_already(integration, save, publish, now):
    vendor("crm").put("companies", "c1", name="Initech")
    vendor("crm").put("deals", "d1", name="Big deal", stage="won", company="c1")
    run_flow(flow_of(integration), now)
    assert [project["name"] for project in vendor("erp").all("projects")] == ["Big deal"]

    save(("erp", "write", "projects"), name='"P: " + record.name', code="text(record.code)")
    publish(now.replace(hour=now.hour + 1))
    run_flow(flow_of(integration), now.replace(hour=now.hour + 2))

    assert [project["name"] for project in vendor("erp").all("projects")] == ["P: Big deal"]


def test_a_dry_run_tries_the_draft_and_changes_nothing(integration, save, owner_actor, now):
    vendor("crm").put("companies", "c1", name="Initech")
    vendor("crm").put("deals", "d1", name="Big deal", stage="won", company="c1")
    run_flow(flow_of(integration), now)
    save(("erp", "write", "projects"), name='"P: " + record.name')

    def try_it(**options):
        found = dry_run(actor=owner_actor, now=now, integration=integration, **options)
        return [(c.action, c.system, c.diff) for flow in found.flows for c in flow.changes]

    assert try_it() == []
    assert try_it(with_draft=True) == [("update", "ERP", {"name": ["Big deal", "P: Big deal"]})]
    assert [project["name"] for project in vendor("erp").all("projects")] == ["Big deal"]


def test_others_neither_see_nor_change_it(integration, now):
    fields = {"phone": "record.phone"}
    stranger = Actor(ActorKind.USER, "x", "X", frozenset({"integrations.manage"}), scope=frozenset({uuid4()}))
    narrow = Actor(
        ActorKind.USER, "n", "N", frozenset({"integrations.manage"}), scope=frozenset({integration.customer_id})
    )
    viewer = Actor(ActorKind.USER, "v", "V", frozenset({"integrations.view"}), scope=None)

    with pytest.raises(NotVisible):
        save_mapping(actor=stranger, now=now, integration=integration, place=COMPANIES, fields=fields)
    with pytest.raises(NotPermitted):
        save_mapping(actor=viewer, now=now, integration=integration, place=COMPANIES, fields=fields)
    with pytest.raises(NotPermitted):
        save_mapping(actor=narrow, now=now, integration=integration, place=COMPANIES, fields=fields, layer="partner")
    with pytest.raises(NotVisible):
        save_mapping(actor=narrow, now=now, integration=integration, place=("crm", "read", "moons"), fields=fields)
    assert MappingOverride.objects.count() == 0


def test_two_live_integrations_read_one_connection_alike(deploy, integration, save, publish, owner_actor, now):
    other = deploy("two-way-accounts")
    go_live(actor=owner_actor, now=now, integration=integration)
    given = {"actor": owner_actor, "now": now, "integration": other}
    save_mapping(place=COMPANIES, fields={"phone": "trim(record.phone)"}, **given)
    publish_mappings(**given)

    with pytest.raises(UnableToChangeIntegration, match="reads companies from CRM with another mapping of phone"):
        go_live(**given)
    save(COMPANIES, phone="trim(record.phone)")
    publish(now)
    go_live(**given)

    save(COMPANIES, phone="record.phone")
    with pytest.raises(MappingRefused, match="“Accounts and contacts, both ways” reads companies"):
        publish(now)
    save_mapping(place=COMPANIES, fields={"phone": "record.phone"}, **given)
    publish(now)
    assert flow_of(integration).current_version.number == 3
