"""Which addresses the current partner's connections may call."""

from __future__ import annotations

import time

import httpx2
from django.conf import settings

from apps.connectors.models import AllowedHost
from apps.core.http import build_client
from apps.core.planes import current_schema

_known: dict[str, tuple[float, tuple[str, ...]]] = {}


def allowed_hosts() -> tuple[str, ...]:
    """The partner's list; empty where every public address may be called."""
    return tuple(AllowedHost.objects.order_by("pattern").values_list("pattern", flat=True))


def hosts_to_call() -> tuple[str, ...]:
    """The list as a worker knows it: not older than `ALLOWED_HOSTS_SECONDS`, so a change is felt everywhere by then."""
    schema, now = current_schema(), time.monotonic()
    until, patterns = _known.get(schema, (0.0, ()))
    if until <= now:
        patterns = allowed_hosts()
        _known[schema] = (now + settings.ALLOWED_HOSTS_SECONDS, patterns)
    return patterns


def outbound_client(*, timeout: float) -> httpx2.Client:
    """A guarded client for calls that no connector makes: token endpoints."""
    return build_client(allow_private=settings.OUTBOUND_ALLOW_PRIVATE, allowed_hosts=hosts_to_call(), timeout=timeout)
