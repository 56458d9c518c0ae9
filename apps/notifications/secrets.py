"""Sealing the secrets of endpoints, and opening those that sign at a moment."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from apps.core.crypto import Place, Sealer
from apps.core.planes import current_schema
from apps.notifications.models import WebhookEndpoint, WebhookSecret


def secret_place(secret: WebhookSecret) -> Place:
    return Place(schema=current_schema(), table="notifications_webhooksecret", row=str(secret.pk), field="sealed")


def seal_secret(secret: WebhookSecret, value: str) -> None:
    """The row is not saved."""
    keys = Sealer(settings.CREDENTIAL_KEYS)
    secret.sealed, secret.key_id = keys.seal(value.encode(), secret_place(secret)), keys.current_key_id


def open_secret(secret: WebhookSecret) -> str:
    """Raises SealBroken."""
    return Sealer(settings.CREDENTIAL_KEYS).open(bytes(secret.sealed), secret_place(secret)).decode()


def secrets_in_use(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The newest first."""
    valid = endpoint.secrets.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("-created_at", "-id")
    return [open_secret(secret) for secret in valid]


def reseal_secrets() -> int:
    """This function will leave no secret sealed with an older key; returns how many it sealed anew. Raises SealBroken."""
    keys, count = Sealer(settings.CREDENTIAL_KEYS), 0
    for pk in list(WebhookSecret.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            secret = WebhookSecret.objects.select_for_update().filter(pk=pk).first()
            if secret is not None and secret.key_id != keys.current_key_id:
                seal_secret(secret, open_secret(secret))
                secret.save(update_fields=["sealed", "key_id"])
                count += 1
    return count
