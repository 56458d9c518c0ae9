"""Endpoints that do not work any more are switched off, and whoever looks after them is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_tenants.utils import get_public_schema_name

from apps.audit.services import record_change
from apps.core.actor import system_actor
from apps.core.planes import current_schema
from apps.events.services import record_event
from apps.notifications.models import DeliveryStatus, EndpointStatus, WebhookEndpoint
from apps.notifications.services.mails import send_mail
from apps.notifications.services.queueing import forget_wanted
from apps.tenants.selectors import absolute_url, platform_host

DISABLED = "notifications.webhook.disabled"
DISABLE_AFTER = timedelta(days=5)
GONE_REASON = "The address answered 410: it is gone for good."


def worn_out_reason(endpoint: WebhookEndpoint, now: datetime) -> str:
    """Empty while there is hope."""
    if endpoint.failing_since is None or now - endpoint.failing_since < DISABLE_AFTER:
        return ""
    return f"Nothing was accepted for {DISABLE_AFTER.days} days."


def disable_endpoint(*, endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    """This function will switch the locked endpoint off, withdraw what waits for it, and tell of it."""
    endpoint.status, endpoint.status_reason = EndpointStatus.DISABLED, reason
    endpoint.save(update_fields=["status", "status_reason"])
    withdrawn = endpoint.deliveries.filter(status=DeliveryStatus.WAITING).update(
        status=DeliveryStatus.WITHDRAWN, next_at=None, ended_at=now
    )
    forget_wanted()
    event = record_event(
        name=DISABLED, subject_key=endpoint.subject_key, payload={"endpoint_id": str(endpoint.pk), "reason": reason},
        now=now,
    )  # fmt: skip
    record_change(
        actor=system_actor(), now=now, target=endpoint, action="webhook_endpoint.disabled", after={"reason": reason}
    )
    if endpoint.contact_email:
        send_mail(
            kind="notifications.webhook_disabled", recipient=endpoint.contact_email, template="webhook_disabled",
            key=str(event.pk), now=now,
            context={"endpoint": endpoint, "reason": reason, "withdrawn": withdrawn, "url": _page_of(endpoint)},
        )  # fmt: skip


def _page_of(endpoint: WebhookEndpoint) -> str:
    """A customer's people have no page for it: they look after theirs through the API."""
    schema = current_schema()
    if endpoint.customer_id or schema == get_public_schema_name():
        return ""
    return absolute_url(platform_host(schema), f"/manage/settings/webhooks/{endpoint.pk}/")
