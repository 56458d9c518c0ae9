"""Reads of the public plane. Callers inside a partner's plane wrap them in `public_plane()` (these do so themselves)."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from apps.core.planes import public_plane
from apps.tenants.models import TEMPLATE_SCHEMA, Domain, Partner, PartnerStatus


def list_partners() -> QuerySet[Partner]:
    """Every real partner: neither the platform's own row nor the schema template."""
    partners: QuerySet[Partner] = Partner.objects.exclude(schema_name__in=["public", TEMPLATE_SCHEMA]).order_by(
        "name", "id"
    )
    return partners


def get_partner_of_schema(schema: str) -> Partner:
    with public_plane():
        partner: Partner = Partner.objects.get(schema_name=schema)
    return partner


def is_suspended(schema: str) -> bool:
    with public_plane():
        return bool(Partner.objects.filter(schema_name=schema, status=PartnerStatus.SUSPENDED).exists())


def platform_host(schema: str) -> str:
    """The partner's permanent host, on which OAuth redirects and webhook addresses are registered."""
    with public_plane():
        return str(Domain.objects.get(tenant__schema_name=schema, is_platform=True).domain)


def absolute_url(host: str, path: str) -> str:
    port = f":{settings.PLATFORM_PORT}" if settings.PLATFORM_PORT else ""
    return f"{settings.PLATFORM_SCHEME}://{host}{port}{path}"
