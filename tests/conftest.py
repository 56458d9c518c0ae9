"""Two partners, made once per test process; every test runs in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import set_urlconf
from pytest_django import DjangoDbBlocker

from apps.core.actor import Actor, ActorKind, system_actor
from apps.core.planes import public_plane, tenant_plane
from apps.provisioning.schema_template import build_template, create_schema_from_template
from apps.tenants.models import Domain, Partner, PartnerStatus
from tests.browsing import Browser
from tests.conformance_table import print_table
from tests.database import own_database
from tests.factories.kept import remember_beginning

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SCHEMAS = {"acme": "p_acme", "globex": "p_globex"}
# Folders whose tests all carry the mark of the same name.
MARKED_FOLDERS = ("browser", "contract", "real", "chaos", "bench")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A folder whose mark is ruled out is not imported either: vendors' own libraries take seconds."""
    inside = collection_path.parent == Path(__file__).parent and collection_path.name in MARKED_FOLDERS
    return True if inside and config.getoption("markexpr").startswith("not ") else None


def _create_partner(slug: str) -> None:
    partner = Partner.objects.create(
        name=slug.title(), slug=slug, schema_name=SCHEMAS[slug], status=PartnerStatus.ACTIVE, created_at=NOW,
        provisioned_at=NOW,
    )  # fmt: skip
    Domain.objects.create(tenant=partner, domain=f"{slug}.localhost", is_primary=True, is_platform=True)
    create_schema_from_template(SCHEMAS[slug])


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(own_database(_fill))
            with tenant_plane(SCHEMAS["acme"]):
                remember_beginning()
            connection.set_schema_to_public()
        yield


def _fill() -> None:
    connection.set_schema_to_public()
    platform = Partner.objects.create(
        name="Platform", slug="platform", schema_name="public", status=PartnerStatus.ACTIVE, created_at=NOW,
        provisioned_at=NOW,
    )  # fmt: skip
    Domain.objects.create(tenant=platform, domain="localhost", is_primary=True, is_platform=True)
    build_template(now=NOW)
    for slug in SCHEMAS:
        _create_partner(slug)
    connection.set_schema_to_public()


@pytest.fixture(autouse=True)
def nothing_left_over() -> None:
    """The database forgets after every test; what was read from it, and whose addresses were last asked for, too."""
    cache.clear()
    set_urlconf(None)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def partner(db: None) -> Iterator[Partner]:
    """The partner acme; the test runs in its schema alone."""
    with public_plane():
        found = Partner.objects.get(slug="acme")
    with tenant_plane(found.schema_name):
        yield found


@pytest.fixture
def other_partner(db: None) -> Partner:
    """The partner globex; enter it with `tenant_plane(other_partner.schema_name)`."""
    with public_plane():
        return Partner.objects.get(slug="globex")


@pytest.fixture
def system() -> Actor:
    return system_actor()


@pytest.fixture
def owner_actor() -> Actor:
    from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole

    return Actor(ActorKind.USER, "owner", "Olive Owner", STAFF_PERMISSIONS[StaffRole.OWNER], scope=None)


@pytest.fixture
def client() -> Browser:
    """A browser at acme's host."""
    return Browser()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    print_table(terminalreporter)
