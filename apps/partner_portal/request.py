"""What a request of the partner portal carries besides its actor."""

from __future__ import annotations

from django.http import HttpRequest

from apps.customers.models import EnvironmentKind
from apps.tenants.models import Partner


def partner_of(request: HttpRequest) -> Partner:
    """The partner whose host was asked: known since the host was looked up, so nothing is read again."""
    partner: Partner = request.tenant  # type: ignore[attr-defined]
    return partner


def environment_kind_of(request: HttpRequest) -> EnvironmentKind:
    """What the address asks for with `?environment=`; production when it asks for nothing there is."""
    asked = request.GET.get("environment", "")
    return EnvironmentKind(asked) if asked in EnvironmentKind.values else EnvironmentKind.PRODUCTION
