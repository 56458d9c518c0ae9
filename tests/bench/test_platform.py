"""Many partners: a new one made ready, and due work claimed fairly among a thousand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection

from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.core.planes import public_plane
from apps.dispatch.services import claim_due
from apps.provisioning.schema_template import create_schema_from_template
from apps.provisioning.services import NewPartner, provision_partner
from apps.sync.services.running import REAP_KIND
from apps.tenants.models import Partner, PartnerStatus
from tests.bench.measures import Measures

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

PARTNERS, ITEMS_EACH, BUSY_ITEMS = 1_000, 30, 50_000
CLAIMS = 40
_BARE = """
UPDATE dispatch_workitem SET lease_until = %(now)s::timestamptz + interval '10 minutes', attempts = attempts + 1
WHERE id IN (
    SELECT id FROM dispatch_workitem WHERE due_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)
    ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED)
RETURNING schema, kind, key
"""
_FILL = """
INSERT INTO public.dispatch_workitem (schema, kind, key, due_at, priority, attempts)
SELECT schema_name, %s, n::text, %s, 5, 0
FROM public.tenants_partner, generate_series(1, CASE WHEN slug = 'load-0' THEN %s ELSE %s END) AS n
WHERE slug LIKE 'load-%%'
"""


def test_new_partner(committed: Partner, system: Actor, now: datetime, measures: Measures) -> None:
    bare, whole, schemas = [], [], []
    try:
        for number in range(4):
            schemas.append(f"p_bare{number}")
            started = time.perf_counter()
            with public_plane():
                create_schema_from_template(schemas[-1])
            bare.append(time.perf_counter() - started)
            started = time.perf_counter()
            new = NewPartner(name=f"New {number}", slug=f"new-{number}", owner_email="owner@new.example")
            schemas.append(provision_partner(actor=system, new=new, now=now).schema_name)
            whole.append(time.perf_counter() - started)
    finally:
        forget(schemas)
    measures.time("new partner, ready to sign in", sorted(whole)[2], "s", most=0.5, limit=sorted(bare)[2])


def forget(schemas: list[str]) -> None:
    with public_plane(), connection.cursor() as cursor:
        for schema in schemas:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        cursor.execute("DELETE FROM public.dispatch_workitem WHERE schema = ANY(%s)", [schemas])
        cursor.execute(
            "DELETE FROM provisioning_provisioningrun WHERE partner_id IN (SELECT id FROM tenants_partner WHERE schema_name = ANY(%s))",
            [schemas],
        )
        Partner.objects.filter(schema_name__in=schemas).delete()


@pytest.fixture
def thousand_partners(committed: Partner, now: datetime) -> Iterator[None]:
    """One of them has more due than all others together."""
    with public_plane(), connection.cursor() as cursor:
        Partner.objects.bulk_create(
            [
                Partner(
                    id=uuid7(), name=f"Load {n}", slug=f"load-{n}", schema_name=f"p_load{n:04}", created_at=now,
                    status=PartnerStatus.ACTIVE, provisioned_at=now,
                )
                for n in range(PARTNERS)
            ]
        )  # fmt: skip
        cursor.execute(_FILL, [REAP_KIND, now, BUSY_ITEMS, ITEMS_EACH])
        cursor.execute("ANALYZE public.dispatch_workitem")
        yield
        cursor.execute("DELETE FROM public.dispatch_workitem WHERE schema LIKE 'p\\_load%'")
        cursor.execute("DELETE FROM public.tenants_partner WHERE slug LIKE 'load-%'")


def test_fair_claims(thousand_partners: None, now: datetime, measures: Measures) -> None:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        for _ in range(CLAIMS):
            cursor.execute(_BARE, {"now": now})
            assert len(cursor.fetchall()) == 100
    limit = CLAIMS * 100 / (time.perf_counter() - started)

    started, items = time.perf_counter(), []
    for _ in range(CLAIMS):
        items += claim_due(now=now, limit=100)
    rate = len(items) / (time.perf_counter() - started)
    busy = sum(item.schema == "p_load0000" for item in items)

    assert len(items) == CLAIMS * 100
    measures.rate("due items claimed among 1,000 partners", rate, "items/s", limit=limit, least=5000)
    measures.time("share of claims the busiest partner gets", 100 * busy / len(items), "%", most=1)


MILLION = 1_000_000
_BACKLOG = """
INSERT INTO public.dispatch_workitem (schema, kind, key, due_at, priority, attempts)
SELECT 'p_load0000', %s, 'backlog' || n, %s, 5, 0 FROM generate_series(1, %s) AS n
"""


def test_a_single_item_beside_a_million(thousand_partners: None, now: datetime, measures: Measures) -> None:
    """Claims go on as workers take messages, a few at a time; then another partner has one thing to do."""
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, [REAP_KIND, now, MILLION])
        cursor.execute("DELETE FROM public.dispatch_workitem WHERE schema LIKE 'p\\_load%%' AND schema <> 'p_load0000'")
        cursor.execute("ANALYZE public.dispatch_workitem")
    for _ in range(20):
        claim_due(now=now, limit=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.dispatch_workitem (schema, kind, key, due_at, priority, attempts)"
            " VALUES ('p_load0001', %s, 'single', %s, 2, 0)",
            [REAP_KIND, now],
        )
    started, claims, found = time.perf_counter(), 0, False
    while not found:
        found = any(item.key == "single" for item in claim_due(now=now, limit=1))
        claims += 1
    seconds = time.perf_counter() - started

    measures.exact("claims until a single item beside 1,000,000", claims, "claims", expected=1)
    measures.time("a single item beside 1,000,000 is claimed in", seconds, "s", most=1)
