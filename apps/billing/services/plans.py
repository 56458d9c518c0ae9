from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.audit.services import record_change
from apps.billing.meters import get_meter
from apps.billing.models import Plan, PlanVersion, Price, PriceKind
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.core.ids import uuid7
from apps.core.regions import is_currency


class UnableToPublishPlan(AnticipatedError):
    """The prices do not make a plan."""

    code = "unable_to_publish_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """A component of a plan. `unit_amount` in minor units: whole for a flat monthly fee, fractions allowed with a meter."""

    label: str
    unit_amount: Decimal
    meter: str = ""
    included_quantity: Decimal = Decimal(0)


def create_plan(
    *, actor: Actor, now: datetime, name: str, currency: str, prices: list[NewPrice], description: str = ""
) -> PlanVersion:
    """This function will create a plan with its first published version. Raises UnableToPublishPlan."""
    actor.require("billing.manage")
    if not name.strip():
        raise UnableToPublishPlan("Give the plan a name.", field="name")
    with transaction.atomic():
        plan = _add_plan(name.strip(), description, now)
        return _publish(actor, now, plan, currency, prices)


def _add_plan(name: str, description: str, now: datetime) -> Plan:
    # The code is for machines: a name without Latin letters, or one that reads the same, gets a number instead.
    code, number = slugify(name)[:40], uuid7()
    if not code or Plan.objects.filter(code=code).exists():
        code = f"{code[:27]}-{number.hex[-12:]}".lstrip("-")
    try:
        with transaction.atomic():
            return Plan.objects.create(code=code, name=name, description=description, created_at=now)
    except IntegrityError as error:
        raise UnableToPublishPlan("Choose a name that no other plan has.", field="name") from error


def publish_plan_version(
    *, actor: Actor, now: datetime, plan: Plan, currency: str, prices: list[NewPrice]
) -> PlanVersion:
    """This function will publish new prices. Running subscriptions keep the version they took.

    Raises UnableToPublishPlan, for an archived plan too.
    """
    actor.require("billing.manage")
    with transaction.atomic():
        # The plan's row serializes version numbers.
        locked = Plan.objects.select_for_update().get(pk=plan.pk)
        if locked.archived_at is not None:
            raise UnableToPublishPlan("This plan is archived: it takes no new prices.")
        return _publish(actor, now, plan, currency, prices)


@transaction.atomic
def archive_plan(*, actor: Actor, now: datetime, plan: Plan) -> Plan:
    """This function will take the plan off the list for new subscriptions; doing so again changes nothing."""
    actor.require("billing.manage")
    archived = Plan.objects.filter(pk=plan.pk, archived_at=None).update(archived_at=now)
    plan.refresh_from_db()
    if archived:
        record_change(actor=actor, now=now, target=plan, action="billing.plan.archived")
    return plan


def _publish(actor: Actor, now: datetime, plan: Plan, currency: str, prices: list[NewPrice]) -> PlanVersion:
    _check(prices, currency)
    version = PlanVersion.objects.create(
        plan=plan, number=plan.versions.count() + 1, currency=currency, published_at=now
    )
    Price.objects.bulk_create(
        Price(
            plan_version=version,
            position=position,
            kind=PriceKind.METERED if price.meter else PriceKind.FLAT,
            label=price.label,
            meter=price.meter,
            unit_amount=price.unit_amount,
            included_quantity=price.included_quantity,
        )
        for position, price in enumerate(prices, start=1)
    )
    record_change(
        actor=actor, now=now, target=plan, action="billing.plan.published",
        after={"version": version.number, "currency": currency, "prices": [_summary(price) for price in prices]},
    )  # fmt: skip
    return version


def _check(prices: list[NewPrice], currency: str) -> None:
    if not is_currency(currency):
        raise UnableToPublishPlan("Choose a currency in use.", field="currency")
    if not prices:
        raise UnableToPublishPlan("A plan needs at least one price.", field="prices")
    for price in prices:
        if price.unit_amount < 0 or price.included_quantity < 0:
            raise UnableToPublishPlan("Prices and allowances cannot be negative.", field="prices")
        if price.meter:
            get_meter(price.meter)
        elif price.unit_amount != price.unit_amount.to_integral_value():
            # An invoice could only round it, and the recurring revenue would not be the sum of the invoices.
            raise UnableToPublishPlan(
                f"A flat fee has no fractions of the smallest unit of {currency}.", field="prices"
            )
    meters = [price.meter for price in prices if price.meter]
    if len(meters) != len(set(meters)):
        raise UnableToPublishPlan("Each meter can be priced once per plan.", field="prices")


def _summary(price: NewPrice) -> dict[str, str]:
    return {"label": price.label, "meter": price.meter, "unit_amount": str(price.unit_amount)}
