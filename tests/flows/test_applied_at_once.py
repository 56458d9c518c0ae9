"""Two who apply something at once: the second waits, and then finds what the first set up."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.customers.models import Environment, EnvironmentKind
from apps.flows.configuration import export_environment
from apps.flows.services import go_live
from apps.flows.services.configuration import apply_configuration
from apps.flows.services.promotion import UnableToPromote, promote_integration


@pytest.fixture
def integration(deploy, owner_actor, now):
    return go_live(actor=owner_actor, now=now, integration=deploy("opportunity-to-project"))


def assert_locked_first(queries):
    """Nothing of what stands there was looked at before the place was locked."""
    statements = [query["sql"] for query in queries]
    (lock,) = [n for n, sql in enumerate(statements) if '"customers_environment"' in sql and "FOR NO KEY UPDATE" in sql]
    assert not [sql for sql in statements[:lock] if 'FROM "flows_integration" ' in sql]


def test_applying_looks_at_what_is_there_once_others_are_done(integration, environment, owner_actor, now):
    text = export_environment(environment)

    with CaptureQueriesContext(connection) as queries:
        apply_configuration(actor=owner_actor, now=now, text=text, environment=environment)

    assert_locked_first(queries)


def test_promoting_does_too(integration, environment, owner_actor, now):
    integration.environment = Environment.objects.create(
        customer=environment.customer, kind=EnvironmentKind.SANDBOX.value
    )

    with CaptureQueriesContext(connection) as queries, pytest.raises(UnableToPromote):
        promote_integration(actor=owner_actor, now=now, integration=integration, systems={})

    assert_locked_first(queries)
