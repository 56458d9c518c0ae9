from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.audit.services import record_audit
from apps.billing.models import BillingAccount, LegalEntity
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError


class UnableToOpenAccount(AnticipatedError):
    """The subject already has a billing account, or there is nobody to bill from."""

    code = "unable_to_open_account"


def open_account(
    *,
    actor: Actor,
    now: datetime,
    subject_key: str,
    legal_name: str,
    currency: str,
    time_zone: str = "UTC",
    email: str = "",
    details: dict[str, str] | None = None,
) -> BillingAccount:
    """This function will begin billing a subject (`customer:<id>`); `details` may hold address, country, tax_id, locale."""
    actor.require("billing.manage")
    if BillingAccount.objects.filter(subject_key=subject_key).exists():
        raise UnableToOpenAccount("This customer already has a billing account.")
    issuer = LegalEntity.objects.filter(is_default=True).first()
    if issuer is None:
        raise UnableToOpenAccount("Enter your own company's billing details first.")
    account = BillingAccount.objects.create(
        subject_key=subject_key,
        legal_name=legal_name,
        currency=currency,
        time_zone=time_zone,
        email=email,
        legal_entity=issuer,
        **(details or {}),
    )
    record_audit(
        actor=actor, action="billing.account.opened", target_key=f"account:{account.pk}", owner_key=subject_key, now=now,
        target_label=legal_name, after={"currency": currency},
    )  # fmt: skip
    return account


def update_account(*, actor: Actor, now: datetime, account: BillingAccount, **changes: str) -> BillingAccount:
    """This function will change addresses and names; issued invoices keep their snapshots. The currency stays."""
    actor.require("billing.manage")
    before = _apply(account, changes, {"legal_name", "address", "country", "tax_id", "email", "locale"})
    record_audit(
        actor=actor, action="billing.account.changed", target_key=f"account:{account.pk}", owner_key=account.subject_key,
        now=now, target_label=account.legal_name, before=before, after=dict(changes),
    )  # fmt: skip
    return account


def update_legal_entity(*, actor: Actor, now: datetime, entity: LegalEntity, **changes: Any) -> LegalEntity:
    """This function will change the issuer's details for invoices to come. The number series stays."""
    actor.require("billing.manage")
    fields = {"name", "address", "country", "tax_id", "tax_rate", "payment_instructions"}
    before = _apply(entity, changes, fields)
    record_audit(
        actor=actor, action="billing.legal_entity.changed", target_key=f"legal_entity:{entity.pk}", now=now,
        target_label=entity.name, before=before, after={name: str(value) for name, value in changes.items()},
    )  # fmt: skip
    return entity


def _apply(row: Any, changes: dict[str, Any], allowed: set[str]) -> dict[str, str]:
    unknown = set(changes) - allowed
    if unknown:
        raise ValueError(f"cannot be changed: {', '.join(sorted(unknown))}")
    before = {name: str(getattr(row, name)) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    return before
