"""The host decides the partner. Unknown hosts and unready partners answer neutrally."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import is_valid_path, set_urlconf
from django_tenants.middleware.main import TenantMainMiddleware
from django_tenants.utils import get_public_schema_name

from apps.core.planes import connection
from apps.tenants.hosts import find_partner
from apps.tenants.models import Domain, Partner, PartnerStatus


class PartnerMiddleware(TenantMainMiddleware):  # type: ignore[misc]
    """Enter the partner's schema alone: public is not in the search path while a partner's request runs."""

    def get_tenant(self, domain_model: type[Domain], hostname: str) -> Partner:
        return find_partner(hostname)

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        set_urlconf(None)
        response = super().process_request(request)
        if response is not None:
            return response  # type: ignore[no-any-return]
        partner: Partner = request.tenant  # type: ignore[attr-defined]
        if partner.schema_name == get_public_schema_name():
            return None
        if partner.provisioned_at is None:
            return self.no_tenant_found(request, partner.domain_url)
        connection.set_tenant(partner, include_public=False)
        if partner.status == PartnerStatus.SUSPENDED:
            return render(request, "suspended.html", status=503)
        return None

    def no_tenant_found(self, request: HttpRequest, hostname: str) -> HttpResponse:
        connection.set_schema_to_public()
        return _plain("Not found\n", 404)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        # Threads are reused: the next request must not begin in this partner's schema, even if it fails early.
        connection.set_schema_to_public()
        return response


class MachinePartnerMiddleware:
    """The same for what only machines call: the same answers, without a page and without routes of the platform's host."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connection.set_schema_to_public()
        try:
            partner = find_partner(PartnerMiddleware.hostname_from_request(request))
        except (Domain.DoesNotExist, DisallowedHost):
            return _plain("Not found\n", 404)
        request.tenant = partner  # type: ignore[attr-defined]
        if partner.schema_name == get_public_schema_name():
            is_known = is_valid_path(request.path_info, settings.PUBLIC_SCHEMA_URLCONF)
            return self.get_response(request) if is_known else _plain("Not found\n", 404)
        if partner.provisioned_at is None:
            return _plain("Not found\n", 404)
        if partner.status == PartnerStatus.SUSPENDED:
            return _plain("Service unavailable\n", 503)
        connection.set_tenant(partner, include_public=False)
        try:
            return self.get_response(request)
        finally:
            # Threads are reused: the next request must not begin in this partner's schema, even if it fails early.
            connection.set_schema_to_public()


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
