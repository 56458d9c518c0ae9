"""Two people at the same moment: each with a connection of their own, and what they do is committed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from apps.audit.models import AuditEvent
from apps.billing.models import BillingPeriod, Invoice, LegalEntity
from apps.billing.services import close_periods, issue_invoice
from apps.core.actor import Actor, system_actor
from apps.core.planes import tenant_plane
from apps.sync.models import RecordFailure
from apps.sync.services import ignore_failure, reject, retry_failure
from tests.factories.at_once import SCHEMA, at_once
from tests.factories.kept import put_back
from tests.factories.world import LAST_RUN, World, make_world

ACTOR: Actor = system_actor("Two at once")


@pytest.fixture
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), tenant_plane(SCHEMA), put_back():
        yield make_world("Brightwater")


def test_one_thing_is_decided_once(world: World) -> None:
    decide = partial(reject, actor=ACTOR, now=LAST_RUN, approval=world.approvals["partner"], reason="Wrong total")

    told = at_once(decide, decide)

    assert sorted(bool(one) for one in told) == [False, True]
    assert AuditEvent.objects.filter(action="approval.rejected").count() == 1


def test_a_dead_letter_that_is_ended_and_tried_again_is_ended(world: World) -> None:
    failure = next(iter(world.failures.values()))
    given: dict[str, Any] = {"actor": ACTOR, "now": LAST_RUN, "failure": failure}

    told = at_once(lambda: ignore_failure(**given, reason="Known"), lambda: retry_failure(**given))

    assert told[0] == ""
    assert RecordFailure.objects.get(pk=failure.pk).status == "ignored"


def test_a_month_ends_once_and_its_invoice_takes_one_number(world: World) -> None:
    october = BillingPeriod.objects.get()
    close_periods(period_ids=[october.pk], now=october.period_end + timedelta(hours=2))
    november = BillingPeriod.objects.get(closed_at=None)
    after = november.period_end + timedelta(hours=2)
    number = LegalEntity.objects.get().next_number

    closed = at_once(*[partial(close_periods, period_ids=[november.pk], now=after)] * 2)
    draft = Invoice.objects.get(period=november)
    issued = at_once(*[partial(issue_invoice, actor=ACTOR, now=after, invoice=draft)] * 2)

    assert (closed, sorted(bool(one) for one in issued)) == (["", ""], [False, True])
    assert BillingPeriod.objects.filter(closed_at=None).count() == 1
    assert LegalEntity.objects.get().next_number == number + 1
