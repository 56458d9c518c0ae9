"""The partner's clients: made whole, changed, retired."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict, Unpack
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from apps.accounts.models import User
from apps.accounts.services import revoke_customer_keys
from apps.audit.services import record_change
from apps.billing.selectors import find_live_subscription
from apps.billing.services import cancel_subscription
from apps.core.actor import Actor, system_actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.core.planes import require_tenant_schema
from apps.core.regions import is_country, is_currency
from apps.customers.models import Customer, Environment, EnvironmentKind, LegalEntity, Lifecycle
from apps.events.services import record_event
from apps.tenants.selectors import get_partner_of_schema

SLUG_LENGTH = 60


class UnableToSaveCustomer(AnticipatedError):
    """The customer's details cannot be stored like this; `field` names the input that has to change."""

    code = "unable_to_save_customer"


class CustomerDetails(TypedDict, total=False):
    """What may be said of a customer besides its name. Left out: unchanged, or the partner's own value at creation."""

    currency: str
    time_zone: str
    locale: str
    country: str
    contact_name: str
    contact_email: str
    lifecycle: str
    owner: User | None


@transaction.atomic
def create_customer(*, actor: Actor, now: datetime, name: str, **details: Unpack[CustomerDetails]) -> Customer:
    """This function will make the customer with both environments and its main legal entity.

    Currency and time zone are the partner's own unless given. Raises UnableToSaveCustomer with the field to change.
    """
    actor.require("customers.manage")
    if actor.scope is not None:
        raise NotVisible("There is no such page.")  # a key bound to one customer makes no others
    partner = get_partner_of_schema(require_tenant_schema())
    customer = Customer(name=name.strip(), currency=partner.currency, time_zone=partner.time_zone, created_at=now)
    _apply(customer, details)
    customer.slug = _free_slug(customer.name)
    customer.save(force_insert=True)
    for kind in EnvironmentKind:
        Environment.objects.create(customer=customer, kind=kind)
    LegalEntity.objects.create(
        customer=customer, name=customer.name, country=customer.country, currency=customer.currency, is_main=True
    )
    _note(actor, now, customer, "created", after=_facts(customer))
    return customer


@transaction.atomic
def update_customer(
    *, actor: Actor, now: datetime, customer: Customer, name: str | None = None, **details: Unpack[CustomerDetails]
) -> Customer:
    """This function will store the given details; the address part of its pages (slug) stays."""
    actor.require("customers.manage")
    _lock(actor, customer)
    before = _facts(customer)
    if name is not None:
        customer.name = name.strip()
    _apply(customer, details)
    customer.save()
    _note(actor, now, customer, "updated", before=before, after=_facts(customer))
    return customer


@transaction.atomic
def archive_customer(*, actor: Actor, now: datetime, customer: Customer) -> Customer:
    """This function will retire the customer: out of every list, its people, API keys and plan ended, its history kept."""
    actor.require("customers.manage")
    _lock(actor, customer)
    if customer.archived_at is not None:
        raise UnableToSaveCustomer("The customer is archived already.")
    customer.archived_at, customer.lifecycle = now, Lifecycle.CHURNED
    customer.save(update_fields=["archived_at", "lifecycle"])
    revoke_customer_keys(actor=actor, now=now, customer_id=customer.pk)
    _end_billing(actor, now, customer)
    _note(actor, now, customer, "archived")
    return customer


def _end_billing(actor: Actor, now: datetime, customer: Customer) -> None:
    """Nobody would look for the months to come of a customer in no list; the one that runs is still billed."""
    subscription = find_live_subscription(customer.subject_key)
    if subscription is not None:
        label = f"Archived by {actor.label}"[:200]
        cancel_subscription(actor=system_actor(label), now=now, subscription=subscription)


def _lock(actor: Actor, customer: Customer) -> None:
    actor.require_sight(customer.pk, "There is no such customer.")
    customer.refresh_from_db(from_queryset=Customer.objects.select_for_update(no_key=True))


def _apply(customer: Customer, details: CustomerDetails) -> None:
    for field, value in details.items():
        # An empty currency or zone means "no change": neither may ever be blank.
        if value or field not in ("currency", "time_zone", "locale", "lifecycle"):
            setattr(customer, field, value.strip() if isinstance(value, str) else value)
    customer.currency, customer.country = customer.currency.upper(), customer.country.upper()
    _require_sound(customer)


def _require_sound(customer: Customer) -> None:
    if not 0 < len(customer.name) <= 160:
        raise UnableToSaveCustomer("Give the customer a name of at most 160 characters.", field="name")
    if not is_currency(customer.currency):
        raise UnableToSaveCustomer("Choose a currency in use by its three letters, such as EUR.", field="currency")
    if customer.time_zone not in available_timezones():
        raise UnableToSaveCustomer("Choose a time zone such as Europe/Berlin.", field="time_zone")
    if customer.country and not is_country(customer.country):
        raise UnableToSaveCustomer("Choose a country by its two letters, such as DE.", field="country")
    if customer.lifecycle not in Lifecycle.values:
        raise UnableToSaveCustomer("Choose one of the offered stages.", field="lifecycle")
    if customer.contact_email:
        try:
            validate_email(customer.contact_email)
        except ValidationError:
            raise UnableToSaveCustomer("Enter a whole e-mail address.", field="contact_email") from None


def _free_slug(name: str) -> str:
    base = slugify(name)[: SLUG_LENGTH - 5] or "customer"
    taken = set(Customer.objects.filter(slug__startswith=base, archived_at=None).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(slug for slug in numbered if slug not in taken)


def _facts(customer: Customer) -> dict[str, Any]:
    fields = ("name", "currency", "time_zone", "locale", "country", "contact_name", "contact_email", "lifecycle")
    return {field: str(getattr(customer, field)) for field in fields}


def _note(
    actor: Actor,
    now: datetime,
    customer: Customer,
    what: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record_event(
        name=f"customers.customer.{what}",
        subject_key=customer.subject_key,
        payload={"customer_id": str(customer.pk), "name": customer.name},
        now=now,
    )
    record_change(actor=actor, now=now, target=customer, action=f"customer.{what}", before=before, after=after)
