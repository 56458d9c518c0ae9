"""Only schemas that lack a migration are migrated."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from apps.core.planes import public_plane, tenant_plane
from apps.flows.models import IntegrationTemplateVersion
from apps.provisioning import upgrades
from apps.provisioning.upgrades import load_released_templates, schemas_behind, upgrade_schemas

pytestmark = pytest.mark.django_db


def forget_migration(schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {schema}.django_migrations WHERE app = 'sync' AND name = '0001_initial'")


def test_nothing_is_migrated_when_nothing_is_new(partner, other_partner):
    with public_plane():
        assert schemas_behind([partner.schema_name, other_partner.schema_name, "p_not_there"]) == []
    assert upgrade_schemas() == []


def test_the_one_that_lags_behind_is_found_and_migrated(partner, other_partner, monkeypatch):
    migrated: list[str] = []
    monkeypatch.setattr(upgrades, "migrate_schema", migrated.append)
    forget_migration(other_partner.schema_name)

    assert upgrade_schemas() == migrated == [other_partner.schema_name]


def test_a_deploy_makes_the_platforms_own_host_known(partner, client, settings):
    settings.PLATFORM_DOMAIN = "platform.example"
    settings.ALLOWED_HOSTS = ["*"]
    before = client.get("/.well-known/health", headers={"host": "platform.example"})

    call_command("upgrade_schemas", stdout=StringIO())
    again = StringIO()
    call_command("upgrade_schemas", stdout=again)

    after = client.get("/.well-known/health", headers={"host": "platform.example"})
    assert (before.status_code, after.status_code) == (404, 200)
    assert "The platform answers" not in again.getvalue()


def test_newly_shipped_templates_reach_partners_that_lack_them(partner, other_partner, now):
    assert load_released_templates(now) == ["p_acme", "p_globex"]
    assert load_released_templates(now) == []
    with tenant_plane(other_partner.schema_name):
        IntegrationTemplateVersion.objects.filter(template__key="payment-status").delete()

    assert load_released_templates(now) == ["p_globex"]
    with tenant_plane(other_partner.schema_name):
        assert IntegrationTemplateVersion.objects.filter(template__key="payment-status").count() == 1
