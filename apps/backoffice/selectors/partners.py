from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from apps.audit.models import AuditEvent
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.provisioning.models import ProvisioningRun
from apps.tenants.models import Domain, Partner
from apps.tenants.selectors import list_partners

TRAIL_LENGTH = 20


def search_partners(actor: Actor, search: str = "", statuses: tuple[str, ...] = ()) -> QuerySet[Any]:
    """Partners with their permanent `host`."""
    actor.require("partners.view")
    host = Domain.objects.filter(tenant=OuterRef("pk"), is_platform=True).values("domain")[:1]
    found: QuerySet[Any] = list_partners().annotate(host=Subquery(host))
    if search:
        found = found.filter(name__icontains=search) | found.filter(slug__icontains=search)
    return found.filter(status__in=statuses) if statuses else found


def get_partner(actor: Actor, partner_id: UUID) -> Partner:
    """Raises NotVisible."""
    found = search_partners(actor).filter(pk=partner_id).first()
    if found is None:
        raise NotVisible("There is no such partner.")
    return found  # type: ignore[no-any-return]


def list_hosts(partner: Partner) -> QuerySet[Domain]:
    hosts: QuerySet[Domain] = Domain.objects.filter(tenant=partner).order_by("-is_platform", "domain")
    return hosts


def list_trail(partner: Partner) -> list[AuditEvent]:
    """What operators did with the partner, newest first."""
    return list(AuditEvent.objects.filter(target_key=partner.subject_key).order_by("-id")[:TRAIL_LENGTH])


def list_provisioning_runs(actor: Actor) -> QuerySet[ProvisioningRun]:
    actor.require("partners.view")
    return ProvisioningRun.objects.select_related("partner").order_by("-started_at", "-id")
