"""What it takes until a customer is served: each step is done when the facts say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from apps.accounts.models import Invitation
from apps.billing.models import Subscription, SubscriptionStatus
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.customers.models import Customer, CustomerMembership, EnvironmentKind
from apps.flows.models import Integration, IntegrationStatus
from apps.sla.models import SlaAssignment
from apps.sync.models import RunStatus, SyncRun


@dataclass(frozen=True, slots=True)
class OnboardingStep:
    label: str
    is_done: bool
    url: str
    action_label: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Filled from one query."""

    connection_count: int
    has_integration: bool
    is_live: bool
    has_run: bool
    has_member: bool
    is_invited: bool
    is_promised: bool
    is_sold: bool


def onboarding_steps(actor: Actor, customer: Customer, now: datetime) -> list[OnboardingStep]:
    """The steps in their order; those of pages the actor may not open are left out."""
    facts = _facts(actor, customer, now)
    steps = [
        ("integrations.view", "Connect two systems", facts.connection_count >= 2, "connect", "Connect"),
        ("integrations.view", "Deploy an integration", facts.has_integration, "deploy", "Deploy"),
        ("integrations.view", "Go live", facts.is_live, "customer_integrations", "Open"),
        ("integrations.view", "See the first run through", facts.has_run, "customer_runs", "Open"),
        (
            "customers.view",
            "Invite the customer's people",
            facts.has_member or facts.is_invited,
            "customer_users",
            "Invite",
        ),
        ("sla.view", "Promise a service level", facts.is_promised, "customer_sla", "Choose"),
        ("billing.view", "Choose a plan", facts.is_sold, "customer_billing", "Choose"),
    ]
    return [
        OnboardingStep(label, is_done, reverse(f"partner_portal:{name}", args=[customer.pk]), action)
        for permission, label, is_done, name, action in steps
        if actor.can(permission)
    ]


def _facts(actor: Actor, customer: Customer, now: datetime) -> Facts:
    own = {"customer": OuterRef("pk"), "environment__kind": EnvironmentKind.PRODUCTION}
    connections = Connection.objects.visible_to(actor).usable().filter(**own).order_by().values("customer")
    integrations = Integration.objects.visible_to(actor).filter(**own).exclude(status=IntegrationStatus.RETIRED)
    runs = SyncRun.objects.visible_to(actor).filter(**own, status__in=[RunStatus.SUCCEEDED, RunStatus.PARTIAL])
    invitations = Invitation.objects.filter(subject_key=customer.subject_key, revoked_at=None)
    promises = SlaAssignment.objects.visible_to(actor).filter(customer=OuterRef("pk"), starts_at__lte=now, ends_at=None)
    sold = Subscription.objects.filter(account__subject_key=customer.subject_key)
    row = Customer.objects.visible_to(actor).filter(pk=customer.pk).values_list(
        Coalesce(Subquery(connections.annotate(count=Count("id")).values("count")), 0),
        Exists(integrations),
        Exists(integrations.filter(status=IntegrationStatus.LIVE)),
        Exists(runs),
        Exists(CustomerMembership.objects.filter(customer=OuterRef("pk"))),
        Exists(invitations),
        Exists(promises),
        Exists(sold.exclude(status=SubscriptionStatus.CANCELED)),
    )  # fmt: skip
    return Facts(*row.get())
