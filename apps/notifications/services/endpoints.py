"""Who is told of events: addresses, what they hear, and the secrets that prove us to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
from django.conf import settings
from django.db import transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.core.http import BlockedAddress, check_url
from apps.core.ids import uuid7
from apps.core.visible import get_visible
from apps.dispatch.services import schedule
from apps.events.registry import shared_event_types
from apps.notifications.models import EndpointStatus, WebhookEndpoint, WebhookSecret
from apps.notifications.secrets import seal_secret
from apps.notifications.services.queueing import PRUNE_KIND, forget_wanted, wake_endpoint
from apps.notifications.signing import new_secret

# Whoever holds a customer's key takes no room of the partner's, nor of another customer's.
MOST_ENDPOINTS, MOST_OF_A_CUSTOMER = 100, 20
LONGEST_URL = 500
OVERLAP = timedelta(hours=24)


class UnableToAddEndpoint(AnticipatedError):
    """The address or the choice of events cannot be used."""


@transaction.atomic
def create_endpoint(
    *, actor: Actor, now: datetime, url: str, events: Sequence[str] = (), description: str = "",
    contact_email: str = "", customer_id: UUID | None = None,
) -> tuple[WebhookEndpoint, str]:  # fmt: skip
    """This function will add the endpoint; returns it with its secret, which is shown this once.

    A customer's own actor adds it for that customer. Raises UnableToAddEndpoint, NotVisible, NotPermitted.
    """
    actor.require("webhooks.manage")
    owner = _owner_of(actor, customer_id)
    most = MOST_OF_A_CUSTOMER if owner else MOST_ENDPOINTS
    if WebhookEndpoint.objects.filter(customer_id=owner).count() >= most:
        raise UnableToAddEndpoint(f"There are {most} endpoints already. Remove one that is not used.")
    endpoint = WebhookEndpoint.objects.create(
        customer_id=owner, url=_checked_url(url), events=_checked_events(events, owner), description=description.strip(),
        contact_email=contact_email, created_at=now, created_by_label=actor.label,
    )  # fmt: skip
    secret = _add_secret(endpoint, now)
    schedule(kind=PRUNE_KIND, key="all", due_at=now + timedelta(days=1))
    _note(actor, now, endpoint, "created", after=_facts(endpoint))
    return endpoint, secret


@transaction.atomic
def update_endpoint(
    *, actor: Actor, now: datetime, endpoint: WebhookEndpoint, url: str | None = None,
    events: Sequence[str] | None = None, description: str | None = None, contact_email: str | None = None,
) -> WebhookEndpoint:  # fmt: skip
    """This function will change what is given. What waits goes to the new address. Raises UnableToAddEndpoint."""
    actor.require("webhooks.manage")
    locked = _lock(endpoint)
    before = _facts(locked)
    if url is not None:
        locked.url = _checked_url(url)
    if events is not None:
        locked.events = _checked_events(events, locked.customer_id)
    if description is not None:
        locked.description = description.strip()
    if contact_email is not None:
        locked.contact_email = contact_email
    locked.save(update_fields=["url", "events", "description", "contact_email"])
    _note(actor, now, locked, "updated", before=before, after=_facts(locked))
    return locked


@transaction.atomic
def pause_endpoint(*, actor: Actor, now: datetime, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """This function will hold deliveries back; what happens meanwhile waits."""
    actor.require("webhooks.manage")
    locked = _lock(endpoint)
    if locked.status == EndpointStatus.ACTIVE:
        locked.status, locked.status_reason = EndpointStatus.PAUSED, f"Paused by {actor.label}."[:300]
        locked.save(update_fields=["status", "status_reason"])
        _note(actor, now, locked, "paused")
    return locked


@transaction.atomic
def resume_endpoint(*, actor: Actor, now: datetime, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """This function will have deliveries attempted again, after a pause or after the endpoint was switched off."""
    actor.require("webhooks.manage")
    locked = _lock(endpoint)
    if locked.status != EndpointStatus.ACTIVE:
        locked.status, locked.status_reason = EndpointStatus.ACTIVE, ""
        locked.failing_since = locked.rests_until = None
        locked.save(update_fields=["status", "status_reason", "failing_since", "rests_until"])
        wake_endpoint(locked, now)
        _note(actor, now, locked, "resumed")
    return locked


@transaction.atomic
def remove_endpoint(*, actor: Actor, now: datetime, endpoint: WebhookEndpoint) -> None:
    """This function will delete the endpoint, its secrets and its log."""
    actor.require("webhooks.manage")
    locked = _lock(endpoint)
    _note(actor, now, locked, "removed", before=_facts(locked))
    locked.delete()


@transaction.atomic
def rotate_secret(*, actor: Actor, now: datetime, endpoint: WebhookEndpoint, overlap: timedelta = OVERLAP) -> str:
    """This function will give the endpoint a new secret, shown this once; the old one signs too until `overlap` is over."""
    actor.require("webhooks.manage")
    locked = _lock(endpoint)
    locked.secrets.filter(expires_at__lte=now).delete()
    locked.secrets.filter(expires_at=None).update(expires_at=now + overlap)
    secret = _add_secret(locked, now)
    _note(actor, now, locked, "secret_rotated", after={"old_valid_until": (now + overlap).isoformat()})
    return secret


def _add_secret(endpoint: WebhookEndpoint, now: datetime) -> str:
    value = new_secret()
    row = WebhookSecret(id=uuid7(), endpoint=endpoint, created_at=now)
    seal_secret(row, value)
    row.save()
    return value


def _owner_of(actor: Actor, customer_id: UUID | None) -> UUID | None:
    if customer_id is not None:
        actor.require_sight(customer_id, "There is no such customer.")
    elif actor.scope is not None:
        if len(actor.scope) != 1:
            raise UnableToAddEndpoint("Say for which customer.", field="customer")
        return next(iter(actor.scope))
    return customer_id


def _checked_url(text: str) -> str:
    url = text.strip()
    try:
        parsed = httpx2.URL(url)
        if not settings.OUTBOUND_ALLOW_PRIVATE:
            check_url(parsed)
    except (BlockedAddress, httpx2.InvalidURL) as error:
        raise UnableToAddEndpoint(f"This address cannot be used: {error}.", field="url") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or len(url) > LONGEST_URL:
        raise UnableToAddEndpoint("Give a whole address, such as https://example.com/hooks.", field="url")
    if parsed.userinfo:
        raise UnableToAddEndpoint("Leave name and password out of the address.", field="url")
    return url


def _checked_events(events: Sequence[str], customer_id: UUID | None) -> list[str]:
    known = {event_type.name for event_type in shared_event_types(for_customers=customer_id is not None)}
    unknown = sorted(set(events) - known)
    if unknown:
        raise UnableToAddEndpoint(f"There is no event {unknown[0]} to subscribe to here.", field="events")
    return sorted(set(events))


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return get_visible(WebhookEndpoint.objects.select_for_update(), endpoint.pk, "There is no such endpoint.")


def _facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {"url": endpoint.url, "events": endpoint.events, "contact": endpoint.contact_email}


def _note(
    actor: Actor, now: datetime, endpoint: WebhookEndpoint, what: str, before: Any = None, after: Any = None
) -> None:
    forget_wanted()
    record_change(actor=actor, now=now, target=endpoint, action=f"webhook_endpoint.{what}", before=before, after=after)
