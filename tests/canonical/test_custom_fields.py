"""Custom fields: declared, typed, refused where nobody declared them, and carried from one system to the other."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.audit.models import AuditEvent
from apps.canonical.custom_fields import custom_kinds
from apps.canonical.models import CanonicalRecord, CustomField
from apps.canonical.services import UnableToDeclare, archive_custom_field, declare_custom_field
from apps.connectors.sdk.entities import InvalidRecord, validate_entity
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.flows.services import UnableToMap, publish_mappings, save_mapping
from apps.sync.models import RecordFailure
from tests.sync.conftest import deploy, environment, fake_vendors, flow_of, run_flow, systems
from tests.sync.fake_vendor import vendor

__all__ = ["deploy", "environment", "fake_vendors", "systems"]
GOOD = {
    "text": "EMEA", "integer": 3, "number": 1.5, "boolean": True, "date": "2026-01-31",
    "datetime": "2026-01-31T10:00:00Z", "money": {"amount": 100, "currency": "EUR"},
}  # fmt: skip
BAD = {
    "text": 3, "integer": "3", "number": "1.5", "boolean": "yes", "date": "soon", "datetime": "2026-01-31", "money": 100,
}  # fmt: skip


@pytest.fixture
def declare(environment, owner_actor, now):
    def declare(key="region", entity="account", kind="text", *, for_all=False):
        return declare_custom_field(
            actor=owner_actor, now=now, customer=None if for_all else environment.customer, entity=entity, key=key,
            label="", kind=kind,
        )  # fmt: skip

    return declare


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_each_kind_takes_its_values_only(kind):
    def check(value):
        return validate_entity("account", {"name": "Initech", "x_own": value}, lambda: {"x_own": kind})

    assert check(GOOD[kind]).name == "Initech"
    with pytest.raises(InvalidRecord, match=r"^Own(, \w+)? must be "):
        check(BAD[kind])


def test_what_nobody_declared_is_refused_as_before():
    with pytest.raises(InvalidRecord, match="There is no field “x_own”"):
        validate_entity("account", {"name": "Initech", "x_own": "a"}, lambda: {})
    with pytest.raises(InvalidRecord, match="There is no field “x_own”"):
        validate_entity("account", {"name": "Initech", "x_own": "a"})
    with pytest.raises(InvalidRecord, match="Name is missing"):
        validate_entity("account", {"x_own": "a"}, lambda: {"x_own": "text"})


def test_a_customer_has_its_own_and_the_partners(declare, environment):
    own = declare("region")
    declare("tier", for_all=True)

    assert custom_kinds(environment.customer_id, "account") == {"x_region": "text", "x_tier": "text"}
    assert custom_kinds(uuid4(), "account") == {"x_tier": "text"}
    assert (own.name, own.label) == ("x_region", "region")


MISTAKES = [
    ("Region", "account", "text", "key"),
    ("region", "moon", "text", "entity"),
    ("region", "account", "blob", "kind"),
]


@pytest.mark.parametrize("key, entity, kind, field", MISTAKES)
def test_a_wrong_declaration_is_refused_at_its_field(declare, key, entity, kind, field):
    with pytest.raises(UnableToDeclare) as raised:
        declare(key, entity, kind)
    assert raised.value.field == field
    assert CustomField.objects.count() == 0


def test_a_key_is_declared_once_for_whom_it_holds(declare):
    declare("region")
    for for_all in (False, True):
        with pytest.raises(UnableToDeclare):
            declare("region", for_all=for_all)
    assert CustomField.objects.count() == 1


def test_others_do_not_declare(environment, now):
    narrow = Actor(ActorKind.USER, "n", "N", frozenset({"integrations.manage"}), scope=frozenset({uuid4()}))
    given = {"entity": "account", "key": "region", "label": "", "kind": "text"}

    with pytest.raises(NotVisible):
        declare_custom_field(actor=narrow, now=now, customer=environment.customer, **given)
    with pytest.raises(NotPermitted):
        declare_custom_field(actor=narrow, now=now, customer=None, **given)


def test_it_goes_from_one_system_to_the_other(declare, deploy, owner_actor, now):
    integration = deploy("opportunity-to-project")

    def save(place, **fields):
        save_mapping(actor=owner_actor, now=now, integration=integration, place=place, fields=fields)

    with pytest.raises(UnableToMap):
        save(("crm", "read", "companies"), x_region='get(record, "area")')
    made = declare("region")
    save(("crm", "read", "companies"), x_region='get(record, "area")')
    save(("erp", "write", "parties"), area="record.x_region")
    publish_mappings(actor=owner_actor, now=now, integration=integration)
    vendor("crm").put("companies", "c1", name="Initech", area="EMEA")
    vendor("crm").put("companies", "c2", name="Hooli")
    for company in ("c1", "c2"):
        vendor("crm").put("deals", name=f"Deal of {company}", stage="won", company=company)
    run_flow(flow_of(integration), now)

    accounts = {a.title: a.data.get("x_region") for a in CanonicalRecord.objects.filter(entity="account")}
    assert accounts == {"Initech": "EMEA", "Hooli": None}
    assert {p["name"]: p.get("area") for p in vendor("erp").all("parties")} == {"Initech": "EMEA", "Hooli": None}
    assert RecordFailure.objects.count() == 0

    archive_custom_field(actor=owner_actor, now=now, custom_field=made)
    again = archive_custom_field(actor=owner_actor, now=now + timedelta(days=1), custom_field=made)
    assert (again.archived_at, AuditEvent.objects.filter(action="custom_field.archived").count()) == (now, 1)
    vendor("crm").put("companies", "c1", phone="1")
    run_flow(flow_of(integration), now)
    assert RecordFailure.objects.count() == 0
