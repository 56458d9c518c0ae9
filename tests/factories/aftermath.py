"""What follows from a customer's records: who is told of them, and what was left undone."""

from __future__ import annotations

from datetime import datetime

from apps.canonical.models import CanonicalRecord
from apps.core.actor import system_actor
from apps.customers.models import Customer
from apps.monitoring.models import BusinessException, ExceptionRule
from apps.monitoring.services.rules import ensure_rules
from apps.notifications.models import WebhookDelivery, WebhookEndpoint
from apps.notifications.services import create_endpoint, send_test


def make_endpoint(customer: Customer, now: datetime) -> tuple[WebhookEndpoint, WebhookDelivery]:
    """An endpoint of the customer, and a message it did not take."""
    endpoint, _ = create_endpoint(
        actor=system_actor(), now=now, url=f"https://hooks.{customer.slug}.example/in", customer_id=customer.pk,
        description=f"Warehouse of {customer.name}",
    )  # fmt: skip
    delivery = send_test(actor=system_actor(), now=now, endpoint=endpoint)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(status="failed", next_at=None, last_error="Answered 500.")
    return endpoint, delivery


def make_exception(project: CanonicalRecord, at: datetime) -> BusinessException:
    """Something the customer has to put right."""
    ensure_rules(at)
    made: BusinessException = BusinessException.objects.create(
        customer=project.customer, environment=project.environment, record=project, title=project.title,
        rule=ExceptionRule.objects.get(key="project-without-contract"), since=at, opened_at=at, amount=250000,
        currency="EUR",
    )  # fmt: skip
    return made
