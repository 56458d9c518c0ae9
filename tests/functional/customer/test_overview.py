"""The overview answers in one sentence, and its numbers are counted from rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from apps.canonical.models import CanonicalChange
from apps.connectors.models import Connection, ConnectionStatus
from apps.core.actor import Actor, ActorKind
from apps.customer_portal.selectors.landscape import get_landscape
from apps.customer_portal.selectors.month import month_figures
from apps.customer_portal.selectors.needs import count_decisions
from apps.customer_portal.summary import Summary, summarize
from apps.flows.models import Flow, Integration, IntegrationStatus
from apps.sync.models import ApprovalRequest, FailureStatus, RecordFailure, RunStatus, SyncRun
from tests.factories.delivery import make_customer
from tests.factories.world import LAST_RUN, World
from tests.functional.conftest import SignIn


def actor_of(world: World) -> Actor:
    return Actor(ActorKind.USER, str(world.admin.pk), "Admin", frozenset(), frozenset({world.customer.pk}))


def summary(world: World, now: datetime) -> Summary:
    return summarize(get_landscape(actor_of(world), now))


@pytest.fixture
def calm(harbor: World) -> World:
    """Everything is in step."""
    RecordFailure.objects.filter(customer=harbor.customer).update(status=FailureStatus.RESOLVED)
    return harbor


def set_status(world: World, role: str, status: str) -> None:
    Connection.objects.filter(pk=world.connections[role].pk).update(status=status)


def test_all_in_step(calm: World, now: datetime, browse: SignIn) -> None:
    body = browse(calm.viewer).get("/").content.decode()

    assert summary(calm, now) == Summary("ok", "All four systems are in step.")
    assert "All four systems are in step." in body
    assert "Last checked" in body
    assert "2 min ago" in body


def test_what_waits_for_a_decision_is_on_the_first_page(calm: World, browse: SignIn) -> None:
    assert calm.approvals["customer"].status == "open"
    body = browse(calm.viewer).get("/").content.decode()

    assert "One record to be released by you" in body
    assert count_decisions(actor_of(calm), LAST_RUN)["approvals"] == 1

    ApprovalRequest.objects.filter(customer=calm.customer).update(status="released")
    assert "to be released by you" not in browse(calm.viewer).get("/").content.decode()


def test_failed_records(harbor: World, now: datetime) -> None:
    assert summary(harbor, now) == Summary("attention", "Two records could not be brought into step.")


def test_a_system_that_lost_its_authorization_comes_first(harbor: World, now: datetime) -> None:
    set_status(harbor, "billing", ConnectionStatus.NEEDS_REAUTHORIZATION)
    assert summary(harbor, now) == Summary("attention", "Xero needs to be connected again.")

    set_status(harbor, "crm", ConnectionStatus.PENDING)
    assert summary(harbor, now) == Summary("attention", "HubSpot and Xero need to be connected again.")


def test_a_system_that_answers_badly(calm: World, now: datetime) -> None:
    set_status(calm, "erp", ConnectionStatus.DEGRADED)

    assert summary(calm, now) == Summary("attention", "Tryton does not answer well right now. We keep trying.")


def test_a_flow_that_failed(calm: World, now: datetime) -> None:
    SyncRun.objects.filter(pk=calm.runs["approved-time"].pk).update(status=RunStatus.FAILED)

    assert summary(calm, now) == Summary("failing", "“Approved time to invoices” could not run.")


def test_a_flow_that_is_behind(calm: World, now: datetime) -> None:
    Flow.objects.filter(pk=calm.flows["approved-time"].pk).update(in_step_until=now - timedelta(minutes=31))
    assert summary(calm, now) == Summary("attention", "“Approved time to invoices” is behind.")

    # It polls every ten minutes: half an hour is three polls, and still patience.
    Flow.objects.filter(pk=calm.flows["approved-time"].pk).update(in_step_until=now - timedelta(minutes=30))
    assert summary(calm, now) == Summary("ok", "All four systems are in step.")


def test_paused_and_empty(calm: World, now: datetime) -> None:
    Integration.objects.filter(customer=calm.customer).update(status=IntegrationStatus.PAUSED)
    assert summary(calm, now) == Summary("idle", "Your integrations are not running at the moment.")

    Integration.objects.filter(customer=calm.customer).update(status=IntegrationStatus.RETIRED)
    assert summary(calm, now) == Summary("idle", "Nothing is connected yet.")


def test_last_checked_is_the_flow_longest_unchecked(calm: World, now: datetime) -> None:
    earlier = LAST_RUN - timedelta(minutes=7)
    SyncRun.objects.filter(pk=calm.runs["approved-time"].pk).update(finished_at=earlier)

    assert get_landscape(actor_of(calm), now).last_checked_at == earlier


def test_the_month_in_numbers(harbor: World, stranger: World, now: datetime) -> None:
    figures = month_figures(actor_of(harbor), harbor.customer, now)

    assert figures.starts_at.isoformat() == "2026-11-01T00:00:00+01:00"
    assert (figures.record_count, figures.invoice_count, figures.days_to_invoice) == (14, 1, Decimal("1.5"))


def test_without_approvals_no_days_are_made_up(harbor: World, now: datetime) -> None:
    CanonicalChange.objects.filter(version=2).delete()

    figures = month_figures(actor_of(harbor), harbor.customer, now)

    assert (figures.invoice_count, figures.days_to_invoice) == (1, None)


def test_a_customer_at_its_beginning(harbor: World, now: datetime) -> None:
    nobody = make_customer("Fresh")
    actor = Actor(ActorKind.USER, "x", "X", frozenset(), frozenset({nobody.pk}))

    figures = month_figures(actor, nobody, now)

    assert (figures.record_count, figures.invoice_count, figures.days_to_invoice) == (0, 0, None)
    assert summarize(get_landscape(actor, now)).sentence == "Nothing is connected yet."


def test_one_failing_flow_is_drawn_between_its_systems(harbor: World, browse: SignIn) -> None:
    body = browse(harbor.viewer).get("/state/").content.decode()

    assert "Won deals to projects, HubSpot to Tryton" in body
    assert "Approved time to invoices, Redmine to Xero" in body
    assert 'hx-get="/state/"' in body
