"""A deploy that has nothing to migrate, for a thousand partners."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection

from apps.core.ids import uuid7
from apps.core.planes import public_plane
from apps.provisioning.upgrades import upgrade_schemas
from apps.tenants.models import TEMPLATE_SCHEMA, Partner, PartnerStatus
from tests.bench.measures import Measures

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

SCHEMAS = [f"p_deploy{number:04}" for number in range(1_000)]


@pytest.fixture
def thousand_schemas(committed: Partner, now: datetime) -> Iterator[None]:
    """Of each only what a deploy looks at: the list of its migrations."""
    with public_plane(), connection.cursor() as cursor:
        for schema in SCHEMAS:
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute(
                f"CREATE TABLE {schema}.django_migrations AS SELECT * FROM {TEMPLATE_SCHEMA}.django_migrations"
            )
        Partner.objects.bulk_create(
            Partner(
                id=uuid7(), name=schema, slug=schema.replace("_", "-"), schema_name=schema, created_at=now,
                status=PartnerStatus.ACTIVE, provisioned_at=now,
            )
            for schema in SCHEMAS
        )  # fmt: skip
        yield
        for schema in SCHEMAS:
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")
        cursor.execute("DELETE FROM public.tenants_partner WHERE slug LIKE 'p-deploy%'")


def test_deploying_nothing(thousand_schemas: None, measures: Measures) -> None:
    started = time.perf_counter()
    upgraded = upgrade_schemas()
    seconds = time.perf_counter() - started

    assert upgraded == []
    measures.time("deploy with nothing to migrate, 1,000 partners", seconds, "s", most=5)
