from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from apps.audit.services import record_audit, record_change
from apps.billing.models import BillingAccount, LegalEntity
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.core.regions import is_country, is_currency


class UnableToOpenAccount(AnticipatedError):
    """The subject already has a billing account, or there is nobody to bill from."""

    code = "unable_to_open_account"


class UnableToSaveBillingDetails(AnticipatedError):
    """The details cannot stand on an invoice."""

    code = "unable_to_save_billing_details"


@transaction.atomic
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
    details = details or {}
    _check_country(details.get("country", ""))
    if not is_currency(currency):
        raise UnableToOpenAccount("Choose a currency in use by its three letters, such as EUR.", field="currency")
    issuer = LegalEntity.objects.filter(is_default=True).first()
    if issuer is None:
        raise UnableToOpenAccount("Enter your own company's billing details first.")
    try:
        with transaction.atomic():
            account = BillingAccount.objects.create(
                subject_key=subject_key, legal_name=legal_name, currency=currency, time_zone=time_zone, email=email,
                legal_entity=issuer, **details,
            )  # fmt: skip
    except IntegrityError as error:
        raise UnableToOpenAccount("This customer has a billing account already. Change its details instead.") from error
    record_audit(
        actor=actor, action="billing.account.opened", target_key=f"account:{account.pk}", owner_key=subject_key, now=now,
        target_label=legal_name, after={"currency": currency},
    )  # fmt: skip
    return account


@transaction.atomic
def update_account(*, actor: Actor, now: datetime, account: BillingAccount, **changes: str) -> BillingAccount:
    """This function will change addresses and names; issued invoices keep their snapshots. The currency stays."""
    actor.require("billing.manage")
    before = _apply(account, changes, {"legal_name", "address", "country", "tax_id", "email", "locale"})
    record_audit(
        actor=actor, action="billing.account.changed", target_key=f"account:{account.pk}", owner_key=account.subject_key,
        now=now, target_label=account.legal_name, before=before, after=dict(changes),
    )  # fmt: skip
    return account


@transaction.atomic
def update_legal_entity(*, actor: Actor, now: datetime, entity: LegalEntity, **changes: Any) -> LegalEntity:
    """This function will change the issuer's details for invoices to come. The number series stays."""
    actor.require("billing.manage")
    fields = {"name", "address", "country", "tax_id", "tax_rate", "payment_instructions"}
    before = _apply(entity, changes, fields)
    record_change(
        actor=actor, now=now, target=entity, action="billing.legal_entity.changed", before=before,
        after={name: str(value) for name, value in changes.items()},
    )  # fmt: skip
    return entity


def _check_country(code: str) -> None:
    # A country that is none would pass for one abroad, and be invoiced under reverse charge.
    if code and not is_country(code):
        raise UnableToSaveBillingDetails("Choose a country by its two letters, such as DE.", field="country")


def _apply(row: BillingAccount | LegalEntity, changes: dict[str, Any], allowed: set[str]) -> dict[str, str]:
    """Changes the row, which stays locked until the transaction ends; returns what it said before."""
    unknown = set(changes) - allowed
    if unknown:
        raise ValueError(f"cannot be changed: {', '.join(sorted(unknown))}")
    _check_country(changes.get("country", ""))
    rows: Any = type(row)._default_manager
    row.refresh_from_db(from_queryset=rows.select_for_update())
    before = {name: str(getattr(row, name)) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    return before
