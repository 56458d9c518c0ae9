from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.notifications.models import (
    DeliveryStatus,
    OutgoingMail,
    OutgoingMailQuerySet,
    WebhookDelivery,
    WebhookEndpoint,
)


def list_mails(actor: Actor) -> OutgoingMailQuerySet:
    """Newest first. Mails go to people of several customers, so only partner-wide readers of the trail see them."""
    actor.require("audit.view")
    return OutgoingMail.objects.order_by("-id")


def get_mail(actor: Actor, mail_id: UUID) -> OutgoingMail:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_mails(actor), mail_id, "There is no such mail.")


def list_endpoints(actor: Actor) -> QuerySet[WebhookEndpoint]:
    """Newest first. Raises NotPermitted."""
    actor.require("webhooks.view")
    return WebhookEndpoint.objects.visible_to(actor).order_by("-id")


def get_endpoint(actor: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_endpoints(actor), endpoint_id, "There is no such endpoint.")


def with_traffic(endpoints: QuerySet[WebhookEndpoint], since: datetime) -> QuerySet[WebhookEndpoint]:
    """Adds `delivered_count`, `failed_count` (both since then), `waiting_count` and `last_delivered_at`."""
    recent = Q(deliveries__created_at__gte=since)
    return endpoints.annotate(
        delivered_count=Count("deliveries", filter=recent & Q(deliveries__status=DeliveryStatus.DELIVERED)),
        failed_count=Count("deliveries", filter=recent & Q(deliveries__status=DeliveryStatus.FAILED)),
        waiting_count=Count("deliveries", filter=Q(deliveries__status=DeliveryStatus.WAITING)),
        last_delivered_at=Max("deliveries__ended_at", filter=Q(deliveries__status=DeliveryStatus.DELIVERED)),
    )


def list_deliveries(actor: Actor, endpoint: WebhookEndpoint | None = None) -> QuerySet[WebhookDelivery]:
    """Newest first. Raises NotPermitted."""
    actor.require("webhooks.view")
    found = WebhookDelivery.objects.visible_to(actor).select_related("endpoint").defer("body", "log").order_by("-id")
    return found.filter(endpoint=endpoint) if endpoint else found


def get_delivery(actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_deliveries(actor), delivery_id, "There is no such delivery.")
