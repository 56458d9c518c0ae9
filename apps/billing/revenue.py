"""What is earned and what is owed: recurring revenue and its movement, invoices by month, ageing. Never across currencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth

from apps.billing.models import BillingAccount, InvoiceLine, InvoiceStatus, Payment, PriceKind, Subscription
from apps.core.actor import Actor
from apps.core.money import Money, round_half_up

# Voided invoices should never have been sent; what was written off was earned all the same.
EARNED = (InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE)


@dataclass(frozen=True, slots=True)
class Fee:
    """What one subscription pays a month, from when until when."""

    account_id: UUID
    currency: str
    amount: Decimal
    started_at: datetime
    canceled_at: datetime | None

    def runs_at(self, instant: datetime) -> bool:
        return self.started_at <= instant and (self.canceled_at is None or self.canceled_at > instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Monthly recurring revenue from one instant to the next, in minor units; `contraction` and `churn` are losses, as
    positive amounts. opening + new + expansion − contraction − churn = closing."""

    currency: str
    opening: int
    new: int
    expansion: int
    contraction: int
    churn: int
    closing: int
    customer_count: int

    @property
    def change(self) -> int:
        return self.closing - self.opening


def list_fees(actor: Actor) -> list[Fee]:
    """The flat fees of all subscriptions there ever were. Metered charges do not recur and stay out."""
    flat = Sum("plan_version__prices__unit_amount", filter=Q(plan_version__prices__kind=PriceKind.FLAT))
    rows = (
        Subscription.objects.filter(account__in=BillingAccount.objects.visible_to(actor))
        .annotate(flat=flat)
        .values_list("account_id", "plan_version__currency", "flat", "started_at", "canceled_at")
    )
    return [Fee(account, currency, flat or Decimal(0), start, end) for account, currency, flat, start, end in rows]


def recurring_movements(fees: Iterable[Fee], instants: Sequence[datetime]) -> dict[str, list[Movement]]:
    """By currency, the largest first: one movement for each step from an instant to the next.

    A customer that changes its plan within a step has moved by the difference, not left and come back.
    """
    paid = [_paid_at(fees, instant) for instant in instants]
    currencies = {currency for levels in paid for currency in levels}
    found = {
        currency: [
            _movement(currency, before.get(currency, {}), after.get(currency, {})) for before, after in pairwise(paid)
        ]
        for currency in currencies
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1][-1].closing, item[0])))


def _paid_at(fees: Iterable[Fee], instant: datetime) -> dict[str, dict[UUID, int]]:
    """Currency → account → what it pays a month; accounts that pay nothing are left out."""
    levels: dict[str, dict[UUID, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for fee in fees:
        if fee.amount and fee.runs_at(instant):
            levels[fee.currency][fee.account_id] += fee.amount
    return {
        currency: {account: round_half_up(level) for account, level in accounts.items()}
        for currency, accounts in levels.items()
    }


def _movement(currency: str, before: dict[UUID, int], after: dict[UUID, int]) -> Movement:
    changes = {account: after.get(account, 0) - before.get(account, 0) for account in {*before, *after}}
    stayed = {account: change for account, change in changes.items() if account in before and account in after}
    return Movement(
        currency=currency,
        opening=sum(before.values()),
        new=sum(level for account, level in after.items() if account not in before),
        expansion=sum(change for change in stayed.values() if change > 0),
        contraction=-sum(change for change in stayed.values() if change < 0),
        churn=sum(level for account, level in before.items() if account not in after),
        closing=sum(after.values()),
        customer_count=len(after),
    )


@dataclass(frozen=True, slots=True)
class InvoicedMonth:
    """Net amounts of the invoices dated in the month: recurring fees and charges by usage."""

    month: date
    recurring: int
    usage: int


def invoiced_by_month(actor: Actor, months: Sequence[date]) -> dict[str, list[InvoicedMonth]]:
    """By currency, one entry for each of the months (given as their first days, oldest first)."""
    rows = (
        InvoiceLine.objects.filter(
            invoice__account__in=BillingAccount.objects.visible_to(actor), invoice__status__in=EARNED,
            invoice__issue_date__gte=months[0],
        )
        .annotate(month=TruncMonth("invoice__issue_date"))
        .values_list("invoice__currency", "month")
        .annotate(flat=Sum("amount", filter=Q(meter="")), metered=Sum("amount", filter=~Q(meter="")))
    )  # fmt: skip
    found: dict[str, dict[date, InvoicedMonth]] = defaultdict(dict)
    for currency, month, flat, metered in rows:
        found[currency][month] = InvoicedMonth(month, flat or 0, metered or 0)
    return {
        currency: [by_month.get(month, InvoicedMonth(month, 0, 0)) for month in months]
        for currency, by_month in sorted(found.items())
    }


def collected_since(actor: Actor, day: date) -> dict[str, Money]:
    """Payments received from `day` on, by currency."""
    rows = (
        Payment.objects.filter(invoice__account__in=BillingAccount.objects.visible_to(actor), paid_on__gte=day)
        .values_list("invoice__currency")
        .annotate(total=Sum("amount"))
    )
    return {currency: Money(total, currency) for currency, total in rows}


AGES = ("Not due", "1–30 days", "31–60 days", "61–90 days", "Over 90 days")


@dataclass(frozen=True, slots=True)
class Debt:
    """What one account owes in one currency, by how long it is overdue (`AGES`), in minor units."""

    account_name: str
    subject_key: str
    currency: str
    amounts: tuple[int, ...]
    invoice_count: int

    @property
    def owed(self) -> int:
        return sum(self.amounts)

    @property
    def overdue(self) -> int:
        return sum(self.amounts[1:])

    @property
    def by_age(self) -> list[tuple[str, int]]:
        return list(zip(AGES, self.amounts, strict=True))


def list_debts(actor: Actor, today: date) -> list[Debt]:
    """Accounts with open invoices, the most overdue first."""
    rows = (
        BillingAccount.objects.visible_to(actor)
        .filter(invoices__status=InvoiceStatus.OPEN)
        .values_list("legal_name", "subject_key", "invoices__currency")
        .annotate(count=Count("invoices"), **_ages(today))
        .order_by("legal_name", "subject_key")
    )
    debts = [
        Debt(name, key, currency, tuple(amount or 0 for amount in ages), count)
        for name, key, currency, count, *ages in rows
    ]
    return sorted(debts, key=lambda debt: (-debt.overdue, -debt.owed))


def _ages(today: date) -> dict[str, Any]:
    owed = F("invoices__total_amount") - F("invoices__paid_amount")
    limits: list[tuple[int | None, int | None]] = [(None, 0), (0, 30), (30, 60), (60, 90), (90, None)]
    return {f"age_{number}": Sum(owed, filter=_overdue(today, *limit)) for number, limit in enumerate(limits)}


def _overdue(today: date, over: int | None, up_to: int | None) -> Q:
    """More than `over` and at most `up_to` days after the due date."""
    rule = Q(invoices__status=InvoiceStatus.OPEN)
    if over is not None:
        rule &= Q(invoices__due_date__lt=date.fromordinal(today.toordinal() - over))
    if up_to is not None:
        rule &= Q(invoices__due_date__gte=date.fromordinal(today.toordinal() - up_to))
    return rule


def total_debts(debts: Iterable[Debt]) -> dict[str, Debt]:
    """The sum of what is owed, by currency."""
    totals: dict[str, Debt] = {}
    for debt in debts:
        known = totals.get(debt.currency, Debt("", "", debt.currency, (0,) * len(AGES), 0))
        amounts = tuple(one + more for one, more in zip(known.amounts, debt.amounts, strict=True))
        totals[debt.currency] = Debt("", "", debt.currency, amounts, known.invoice_count + debt.invoice_count)
    return dict(sorted(totals.items()))
