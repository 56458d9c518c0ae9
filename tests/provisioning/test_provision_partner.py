"""A partner is complete or not there at all, whichever way its schema was made."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Invitation
from apps.audit.models import AuditEvent
from apps.billing.models import LegalEntity
from apps.branding.models import BrandSettings
from apps.core.actor import Actor
from apps.core.errors import NotPermitted
from apps.core.planes import current_schema, tenant_plane
from apps.flows.models import IntegrationTemplate
from apps.flows.services.templates import shipped_versions
from apps.notifications.models import OutgoingMail
from apps.provisioning import first_rows
from apps.provisioning.models import ProvisioningRun, SchemaTemplate
from apps.provisioning.services import NewPartner, UnableToProvision, provision_partner
from apps.tenants.models import Domain, Partner, PartnerStatus

pytestmark = [pytest.mark.django_db, pytest.mark.schema]

INITECH = NewPartner(name="Initech", slug="initech", owner_email="peter@initech.example", currency="USD")

_SHAPE = {
    "columns": """SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
                  FROM information_schema.columns WHERE table_schema = %s""",
    "constraints": """SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(c.oid)
                      FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = %s""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    "triggers": """SELECT event_object_table, trigger_name, action_statement, action_timing
                   FROM information_schema.triggers WHERE trigger_schema = %s""",
}


def _plain(value: object, schema: str) -> str:
    # PostgreSQL spells the same condition with other casts and brackets once it was dumped and read again.
    return re.sub(r"::character varying|::text(\[\])?|[()]", "", str(value).replace(f"{schema}.", ""))


def shape_of(schema: str) -> dict[str, list[tuple[Any, ...]]]:
    """The catalogue of a schema with its own name taken out."""
    shape = {}
    with connection.cursor() as cursor:
        for kind, query in _SHAPE.items():
            cursor.execute(query, [schema])
            shape[kind] = sorted(tuple(_plain(value, schema) for value in row) for row in cursor.fetchall())
        cursor.execute(f"SELECT app_label, model FROM {schema}.django_content_type ORDER BY 1, 2")
        shape["content types"] = cursor.fetchall()
        cursor.execute(f"SELECT app, name FROM {schema}.django_migrations ORDER BY 1, 2")
        shape["migrations"] = cursor.fetchall()
    return shape


def test_it_works(system: Actor, now: datetime) -> None:
    partner = provision_partner(actor=system, new=INITECH, now=now)

    assert (partner.status, partner.provisioned_at) == (PartnerStatus.ACTIVE, now)
    assert Domain.objects.get(tenant=partner).domain == "initech.localhost"
    assert ProvisioningRun.objects.get(partner=partner).method == "template"
    assert AuditEvent.objects.get(target_key=f"partner:{partner.pk}").action == "tenants.partner.created"
    with tenant_plane(partner.schema_name):
        assert BrandSettings.objects.get().display_name == "Initech"
        assert LegalEntity.objects.get().currency == "USD"
        assert IntegrationTemplate.objects.count() == len(shipped_versions())
        invitation = Invitation.objects.get()
        assert (invitation.email, invitation.role) == ("peter@initech.example", "owner")
        mail = OutgoingMail.objects.get()
        assert (mail.recipient, mail.kind) == ("peter@initech.example", "accounts.invitation")
        assert "initech.localhost" in mail.text


def test_a_bad_owners_address_is_refused_and_leaves_nothing(system: Actor, now: datetime) -> None:
    with pytest.raises(UnableToProvision):
        provision_partner(actor=system, new=replace(INITECH, owner_email="nobody"), now=now)

    assert not Partner.objects.filter(slug="initech").exists()


def test_without_a_template_migrations_make_the_same_schema(system: Actor, now: datetime) -> None:
    SchemaTemplate.objects.all().delete()

    partner = provision_partner(actor=system, new=INITECH, now=now)

    assert ProvisioningRun.objects.get(partner=partner).method == "migrations"
    with tenant_plane(partner.schema_name):
        assert BrandSettings.objects.count() == 1
    assert shape_of(partner.schema_name) == shape_of("p_acme")  # made from the template


def test_a_failure_leaves_nothing_behind(system: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise UnableToProvision("No rows today.")

    monkeypatch.setattr(first_rows, "create", refuse)

    with pytest.raises(UnableToProvision):
        provision_partner(actor=system, new=INITECH, now=now)

    assert not Partner.objects.filter(slug="initech").exists()
    assert not Domain.objects.filter(domain="initech.localhost").exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'p\\_%%' AND nspname NOT IN ('p_acme', 'p_globex')"
        )
        assert cursor.fetchone()[0] == 0


@pytest.mark.parametrize("slug", ["acme", "admin", "Initech", "ini_tech", "ini tech", "", "a" * 41])
def test_an_address_that_cannot_be_had_is_refused(system: Actor, now: datetime, slug: str) -> None:
    new = NewPartner(name="Initech", slug=slug, owner_email="peter@initech.example")

    with pytest.raises(UnableToProvision) as refusal:
        provision_partner(actor=system, new=new, now=now)

    assert refusal.value.field == "slug"
    assert current_schema() == "public"


def test_only_an_operator_may(owner_actor: Actor, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        provision_partner(actor=owner_actor, new=INITECH, now=now)
