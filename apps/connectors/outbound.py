"""Which addresses the current partner's connections may call."""

from __future__ import annotations

import httpx2
from django.conf import settings

from apps.connectors.models import AllowedHost
from apps.core.http import build_client


def allowed_hosts() -> tuple[str, ...]:
    """The partner's list; empty where every public address may be called."""
    return tuple(AllowedHost.objects.order_by("pattern").values_list("pattern", flat=True))


def outbound_client(*, timeout: float) -> httpx2.Client:
    """A guarded client for calls that no connector makes: token endpoints."""
    return build_client(allow_private=settings.OUTBOUND_ALLOW_PRIVATE, allowed_hosts=allowed_hosts(), timeout=timeout)
