"""What every partner has from its first second: a brand, a legal entity to bill from, the template library, an owner."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from apps.accounts.policies import StaffRole
from apps.accounts.services import invite
from apps.billing.models import LegalEntity
from apps.branding.models import BrandSettings
from apps.core.actor import Actor, system_actor
from apps.dispatch.services import schedule
from apps.flows.services import load_templates
from apps.sync.services.keeping import PURGE_EVERY, PURGE_KEY, PURGE_KIND

if TYPE_CHECKING:
    from apps.provisioning.services import NewPartner


def create(*, new: NewPartner, actor: Actor, now: datetime) -> None:
    """This function will write the first rows in the current partner's schema, in the caller's transaction."""
    BrandSettings.objects.create(display_name=new.name, support_email=new.owner_email, updated_at=now)
    LegalEntity.objects.create(
        name=new.name,
        country=new.country,
        currency=new.currency,
        invoice_prefix=_invoice_prefix(new.slug),
        is_default=True,
    )
    load_templates(now=now)
    schedule(kind=PURGE_KIND, key=PURGE_KEY, due_at=now + PURGE_EVERY)
    # The operator has no role at the partner: the offer comes from the system, and the audit names who provisioned.
    invite(actor=system_actor(actor.label), now=now, email=new.owner_email, role=StaffRole.OWNER)


def _invoice_prefix(slug: str) -> str:
    letters = "".join(character for character in slug if character.isalnum())
    return f"{letters[:4].upper()}-"
