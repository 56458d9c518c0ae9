"""Bringing partners to life, suspending and resuming them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.audit.services import record_change
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict
from apps.core.planes import public_plane, tenant_plane
from apps.core.regions import is_country, is_currency
from apps.provisioning import first_rows
from apps.provisioning.models import ProvisioningRun, ProvisioningStatus
from apps.provisioning.schema_template import (
    TemplateMissing,
    create_schema_by_migrations,
    create_schema_from_template,
)
from apps.tenants.hosts import forget_hosts
from apps.tenants.models import Domain, Partner, PartnerStatus, new_schema_name

log = structlog.get_logger()

RESERVED_SLUGS = frozenset({"www", "admin", "api", "app", "mail", "static", "status", "platform", "zz-template"})


class UnableToProvision(AnticipatedError):
    """The partner could not be made; nothing of it is left behind."""

    code = "unable_to_provision"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPartner:
    """What a partner begins with. `owner_email` receives the invitation of the first owner."""

    name: str
    slug: str
    owner_email: str
    owner_name: str = ""
    currency: str = "EUR"
    time_zone: str = "UTC"
    country: str = ""


def open_platform(*, now: datetime) -> bool:
    """This function will make the platform's own host known, where operators sign in; False where it is already."""
    with public_plane(), transaction.atomic():
        platform, _ = Partner.objects.get_or_create(
            schema_name="public",
            defaults={
                "name": "Platform", "slug": "platform", "status": PartnerStatus.ACTIVE,
                "created_at": now, "provisioned_at": now,
            },
        )  # fmt: skip
        known = Domain.objects.filter(tenant=platform, is_platform=True).first()
        if known is not None and known.domain == settings.PLATFORM_DOMAIN:
            return False
        Domain.objects.update_or_create(
            tenant=platform, is_platform=True, defaults={"domain": settings.PLATFORM_DOMAIN, "is_primary": True}
        )
        return True


def provision_partner(*, actor: Actor, new: NewPartner, now: datetime) -> Partner:
    """This function will create a partner that is ready to sign in to: schema, first rows, owner's invitation.

    From the template where there is one for this code, else by migrations. Raises UnableToProvision, with nothing left.
    """
    actor.require("partners.manage")
    with public_plane():
        _check(new)
        partner = _reserve(new, now)
        run = ProvisioningRun.objects.create(partner=partner, method="template", started_at=now)
        try:
            _build(partner, run, new, actor, now)
        except AnticipatedError as error:
            _undo(partner, str(error))
            raise UnableToProvision(f"{error.user_message} Nothing was kept.", field=error.field) from error
        except DatabaseError as error:
            _undo(partner, str(error))
            raise UnableToProvision("The partner could not be created. Nothing was kept; try again.") from error
        record_change(
            actor=actor, now=now, target=partner, action="tenants.partner.created",
            after={"slug": partner.slug, "currency": partner.currency},
        )  # fmt: skip
        return partner


def _check(new: NewPartner) -> None:
    if not new.name.strip():
        raise UnableToProvision("Enter the partner's name.", field="name")
    if not is_currency(new.currency):
        raise UnableToProvision("Choose a currency in use by its three letters, such as EUR.", field="currency")
    if new.country and not is_country(new.country):
        raise UnableToProvision("Choose a country by its two letters, such as DE.", field="country")
    try:
        validate_slug(new.slug)
    except ValidationError as error:
        raise UnableToProvision("Use letters, digits and hyphens for the address.", field="slug") from error
    if new.slug in RESERVED_SLUGS or new.slug != new.slug.lower() or "_" in new.slug or len(new.slug) > 40:
        raise UnableToProvision("This address is reserved or malformed. Choose another one.", field="slug")


def _reserve(new: NewPartner, now: datetime) -> Partner:
    try:
        with transaction.atomic():
            partner: Partner = Partner.objects.create(
                name=new.name.strip(),
                slug=new.slug,
                schema_name=new_schema_name(),
                currency=new.currency,
                time_zone=new.time_zone,
                created_at=now,
            )
            host = f"{new.slug}.{settings.PLATFORM_DOMAIN}"
            Domain.objects.create(tenant=partner, domain=host, is_primary=True, is_platform=True)
    except IntegrityError as error:
        raise UnableToProvision("This address is taken. Choose another one.", field="slug") from error
    return partner


def _build(partner: Partner, run: ProvisioningRun, new: NewPartner, actor: Actor, now: datetime) -> None:
    try:
        create_schema_from_template(partner.schema_name)
    except TemplateMissing:
        log.warning("provisioning.template_missing", partner=partner.slug)
        run.method = "migrations"
        create_schema_by_migrations(partner.schema_name)
    with tenant_plane(partner.schema_name), transaction.atomic():
        first_rows.create(new=new, actor=actor, now=now)
    partner.status = PartnerStatus.ACTIVE
    partner.provisioned_at = now
    partner.save(update_fields=["status", "provisioned_at"])
    run.status = ProvisioningStatus.SUCCEEDED
    run.finished_at = clock.now()
    run.save()


def _undo(partner: Partner, reason: str) -> None:
    log.error("provisioning.failed", partner=partner.slug, reason=reason)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {partner.schema_name} CASCADE")
    partner.delete(force_drop=False)


class UnableToSuspend(Conflict):
    """The partner is not in a state that can be suspended or resumed."""


def suspend_partner(*, actor: Actor, partner: Partner, reason: str, now: datetime) -> Partner:
    """This function will close the partner's hosts with one page and stop its scheduled work until it is resumed."""
    actor.require("partners.manage")
    if not reason.strip():
        raise UnableToSuspend("Say why the partner is suspended.", field="reason")
    fields = {"suspended_at": now, "suspension_reason": reason.strip()}
    with public_plane(), transaction.atomic():
        _move(partner, PartnerStatus.ACTIVE, PartnerStatus.SUSPENDED, **fields)
        record_change(
            actor=actor, now=now, target=partner, action="tenants.partner.suspended", after={"reason": reason.strip()}
        )
    return partner


def resume_partner(*, actor: Actor, partner: Partner, now: datetime) -> Partner:
    """This function will open the partner's hosts again; work that became due meanwhile runs now."""
    actor.require("partners.manage")
    with public_plane(), transaction.atomic():
        _move(partner, PartnerStatus.SUSPENDED, PartnerStatus.ACTIVE, suspended_at=None, suspension_reason="")
        record_change(actor=actor, now=now, target=partner, action="tenants.partner.resumed", after={})
    return partner


def _move(partner: Partner, before: PartnerStatus, after: PartnerStatus, **fields: object) -> None:
    # Conditional, so that two operators at once do not both believe they did it.
    moved = Partner.objects.filter(pk=partner.pk, status=before).update(status=after, **fields)
    if not moved:
        raise UnableToSuspend(f"The partner is not {before.label.lower()} any more. Reload the page.")
    forget_hosts()
    partner.refresh_from_db()
