from __future__ import annotations

from uuid import uuid4

import pytest

from apps.audit.models import AuditEvent
from apps.connectors.models import Connection, ConnectionStatus
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted, NotVisible
from apps.core.planes import current_schema
from apps.customers.models import Environment
from apps.dispatch.models import WorkItem
from apps.flows.models import Flow, Integration
from apps.flows.selectors import get_integration, list_integrations
from apps.flows.services import (
    UnableToChangeIntegration,
    UnableToDeployIntegration,
    go_live,
    pause_integration,
    resume_integration,
    retire_integration,
)


def due_flows() -> int:
    return WorkItem.objects.filter(schema=current_schema(), kind="sync.flow").count()


def test_it_works(deploy, systems):
    integration = deploy("time-to-invoice", {"default_rate": "99.50", "payment_days": "14"})

    assert (integration.name, integration.status) == ("Time to invoice", "draft")
    assert integration.settings == {
        "default_rate": {"amount": 9950, "currency": "EUR"}, "rate_card": "", "payment_days": 14,
        "invoice_status": "open", "cut_off": "at once",
    }  # fmt: skip
    assert dict(integration.role_bindings.values_list("role", "connection__name")) == {
        "delivery": "DELIVERY", "erp": "ERP", "billing": "BILLING",
    }  # fmt: skip
    flow = Flow.objects.get()
    assert (flow.key, flow.is_enabled, flow.current_version.number) == ("approved-time", False, 1)
    assert due_flows() == 0
    assert AuditEvent.objects.filter(action="integration.deployed").count() == 1


MISTAKES = [
    ("wrong amount", {"default_rate": "a lot"}, "default_rate"),
    ("wrong number", {"payment_days": "soon"}, "payment_days"),
    ("wrong choice", {"cut_off": "never"}, "cut_off"),
    ("unknown", {"colour": "red"}, "colour"),
]


@pytest.mark.parametrize("case, settings, field", MISTAKES)
def test_a_wrong_setting_is_named(deploy, case, settings, field):
    with pytest.raises(UnableToDeployIntegration) as raised:
        deploy("time-to-invoice", settings)

    assert raised.value.field == field
    assert Integration.objects.count() == 0


def test_a_system_cannot_play_a_role_it_does_not_know(deploy, systems):
    with pytest.raises(UnableToDeployIntegration) as raised:
        deploy("time-to-invoice", billing=systems["crm"])

    assert raised.value.field == "billing"
    assert raised.value.user_message == "Fake Crm cannot play the role Billing. Choose another system."


def test_a_connection_of_another_environment_is_refused(deploy, systems, environment):
    other = Environment.objects.create(customer=environment.customer, kind="sandbox")
    Connection.objects.filter(pk=systems["crm"].pk).update(environment=other)
    systems["crm"].refresh_from_db()

    with pytest.raises(UnableToDeployIntegration) as raised:
        deploy("payment-status")
    assert raised.value.field == "crm"


def test_its_life(deploy, owner_actor, now):
    integration = deploy("payment-status")
    go_live(actor=owner_actor, now=now, integration=integration)
    assert (integration.status, integration.live_at, due_flows()) == ("live", now, 1)
    assert Flow.objects.get().is_enabled is True

    pause_integration(actor=owner_actor, now=now, integration=integration)
    assert (integration.status, due_flows(), Flow.objects.get().is_enabled) == ("paused", 0, False)
    with pytest.raises(UnableToChangeIntegration):
        go_live(actor=owner_actor, now=now, integration=integration)

    resume_integration(actor=owner_actor, now=now, integration=integration)
    assert (integration.status, due_flows()) == ("live", 1)
    retire_integration(actor=owner_actor, now=now, integration=integration)
    assert (integration.status, due_flows(), list_integrations(owner_actor).count()) == ("retired", 0, 0)


def test_it_goes_live_only_with_working_connections(deploy, systems, owner_actor, now):
    integration = deploy("payment-status")
    Connection.objects.filter(pk=systems["crm"].pk).update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    with pytest.raises(UnableToChangeIntegration) as raised:
        go_live(actor=owner_actor, now=now, integration=integration)

    assert raised.value.user_message == "Connect CRM first."
    integration.refresh_from_db()
    assert integration.status == "draft"


def test_others_neither_see_nor_change_it(deploy, now):
    integration = deploy("payment-status")
    stranger = Actor(ActorKind.USER, "x", "X", frozenset({"integrations.manage"}), scope=frozenset({uuid4()}))
    viewer = Actor(ActorKind.USER, "v", "V", frozenset({"integrations.view"}), scope=None)

    assert list_integrations(stranger).count() == 0
    with pytest.raises(NotVisible):
        get_integration(stranger, integration.pk)
    with pytest.raises(NotVisible):
        go_live(actor=stranger, now=now, integration=integration)
    with pytest.raises(NotPermitted):
        go_live(actor=viewer, now=now, integration=integration)
    integration.refresh_from_db()
    assert integration.status == "draft"
