from apps.notifications.models.mails import OutgoingMail, OutgoingMailQuerySet
from apps.notifications.models.webhooks import (
    DeliveryStatus,
    EndpointStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)

__all__ = [
    "DeliveryStatus",
    "EndpointStatus",
    "OutgoingMail",
    "OutgoingMailQuerySet",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookSecret",
]
