from apps.notifications.models.mails import OutgoingMail, OutgoingMailQuerySet
from apps.notifications.models.webhooks import (
    DeliveryStatus,
    EndpointStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)

__all__ = [
    "DeliveryStatus",
    "EndpointStatus",
    "OutgoingMail",
    "OutgoingMailQuerySet",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookSecret",
]
