"""What time is worth at the customer's hourly rates: of one time entry, or of all that an invoice or a revenue entry counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db.models import Case, F, IntegerField, Q, Value, When

from apps.core.bulk import fetch_rows
from apps.core.expressions.functions import listed, money
from apps.core.money import round_half_up
from apps.customers.models import Environment
from apps.flows.models import Integration, IntegrationStatus
from apps.monitoring.statements import HELD

SECONDS_PER_HOUR = Decimal(3600)
# As invoices are made: hours are summed per task and person, and each sum is rounded once.
_ROWS = """
SELECT {root}, coalesce(person.data->>'email', ''), sum((entry.data->>'duration_seconds')::bigint), count(*)
FROM canonical_canonicalrecord entry
{joins}
LEFT JOIN canonical_canonicallink who ON who.source_id = entry.id AND who.name = 'resource'
LEFT JOIN canonical_canonicalrecord person ON person.id = who.target_id
LEFT JOIN canonical_canonicallink what ON what.source_id = entry.id AND what.name = 'task'
WHERE entry.entity = 'time_entry' AND {root} = ANY(%s::uuid[]) AND {held}
GROUP BY 1, 2, what.target_id, person.id
"""
_COUNTED = "JOIN canonical_canonicallink counted ON counted.source_id = entry.id AND counted.name = '{}'"
# The kinds that count time, by their entries' references to them.
COUNTS_TIME = ("invoice", "revenue")
_ROOTS = {
    "time_entry": ("entry.id", ""),
    **{entity: ("counted.target_id", _COUNTED.format(entity)) for entity in COUNTS_TIME},
}
VALUED = frozenset(_ROOTS)
_BY_STATUS = [
    When(status=status, then=Value(place))
    for place, status in enumerate(
        (IntegrationStatus.LIVE, IntegrationStatus.PAUSED, IntegrationStatus.RETIRED, IntegrationStatus.DRAFT)
    )
]


@dataclass(frozen=True, slots=True)
class TimeValue:
    """`money` is empty where somebody has no rate."""

    seconds: int
    count: int
    money: dict[str, Any] | None


def value_time(environment: Environment, entity: str, ids: Sequence[UUID]) -> dict[UUID, TimeValue]:
    """Keyed by what is asked for, of a kind in VALUED; what has no time is absent."""
    if entity not in VALUED:
        return {}
    root, extra = _ROOTS[entity]
    card = _rate_card(environment, entity)
    parts: dict[UUID, list[tuple[str, int, int]]] = defaultdict(list)
    statement = _ROWS.format(root=root, joins=extra, held=HELD.format(id="entry.id"))
    for found, email, seconds, count in fetch_rows(statement, [list(ids)]):
        parts[found].append((email, int(seconds), int(count)))
    return {found: _value(rows, card) for found, rows in parts.items()}


def _value(rows: list[tuple[str, int, int]], card: RateCard | None) -> TimeValue:
    seconds, count, total = sum(row[1] for row in rows), sum(row[2] for row in rows), 0
    currencies: set[str] = set()
    for email, worked, _ in rows:
        rate = card.rate_of(email) if card else None
        if rate is None:
            return TimeValue(seconds, count, None)
        hours = (Decimal(worked) / SECONDS_PER_HOUR).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
        try:
            total += round_half_up(hours * rate["amount"])
        except InvalidOperation:  # more digits than any money has: one such entry must not end the look at all others
            return TimeValue(seconds, count, None)
        currencies.add(rate["currency"])
    if len(currencies) != 1:
        return TimeValue(seconds, count, None)
    return TimeValue(seconds, count, {"amount": total, "currency": currencies.pop()})


@dataclass(frozen=True, slots=True)
class RateCard:
    """The hourly rates as the integration's settings have them: by e-mail address, and one for everybody else."""

    listed_rates: str
    default: dict[str, Any] | None
    currency: str

    def rate_of(self, email: str) -> dict[str, Any] | None:
        try:
            return money(listed(self.listed_rates, email), self.currency) or self.default
        except (ArithmeticError, ValueError):
            return None  # somebody wrote what is no number: the invoicing flow tells of it


def _rate_card(environment: Environment, entity: str) -> RateCard | None:
    """The rates of the integration that makes revenue entries of time here; for anything else, of the one that invoices it.

    One that is live goes before one that was, and that before one that never was: nothing was invoiced at its rates.
    """
    earns = Q(template_version__definition__contains={"flows": [{"aggregate": [{"into": "revenue"}]}]})
    own = earns if entity == "revenue" else ~earns
    rated = Integration.objects.filter(
        own, environment=environment, settings__has_any_keys=["rate_card", "default_rate"]
    )
    order = (Case(*_BY_STATUS, output_field=IntegerField()), F("live_at").desc(nulls_last=True), "id")
    found = rated.select_related("customer").order_by(*order).first()
    if found is None:
        return None
    settings = found.settings
    return RateCard(
        str(settings.get("rate_card") or ""), settings.get("default_rate"),
        str(settings.get("currency") or found.customer.currency),
    )  # fmt: skip
