"""Holding the rules against the records: opening what breaks them, resolving what no longer does.

After every run of a flow the records that changed are looked at, with those whose rules they may touch; every six hours
everything is, since days pass without any change. One evaluation of an environment at a time; each rule commits on its
own, so that a killed worker has done whole rules and the next one the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import Max

from apps.canonical.models import CanonicalChange
from apps.connectors.sdk.entities import REFERENCES
from apps.core.bulk import json_text, lock_for_transaction
from apps.core.errors import AnticipatedError
from apps.core.expressions import ExpressionError
from apps.customers.models import Environment, EnvironmentKind
from apps.dispatch.services import complete, reschedule
from apps.events.services import record_events
from apps.monitoring.hits import CompiledRule, Hit, find_hits, roots_of
from apps.monitoring.models import BusinessException, ExceptionRule, ExceptionStatus
from apps.monitoring.services.queueing import KIND, PRIORITY
from apps.monitoring.services.rules import draft_of, ensure_rules

log = structlog.get_logger()
EVERYTHING_EVERY = timedelta(hours=6)
# Beyond so many changed records looking at everything is the shorter way.
MOST_TOUCHED = 20_000
OPENED, RESOLVED = "monitoring.exception.opened", "monitoring.exception.resolved"


def evaluate_environment(*, environment_id: UUID, now: datetime) -> int:
    """This function will bring the environment's exceptions up to date and set the next look; returns how many opened."""
    environment = Environment.objects.select_related("customer").filter(pk=environment_id).first()
    if environment is None or environment.kind != EnvironmentKind.PRODUCTION or environment.customer.archived_at:
        complete(kind=KIND, key=str(environment_id))
        return 0
    ensure_rules(now)
    rules = list(ExceptionRule.objects.order_by("key"))
    seen, newest = _seen_before(environment, rules, now), _newest_change(environment)
    touched = _touched(environment, seen.change_id, newest) if seen else None
    opened = sum(_evaluate(rule, environment, touched, now) for rule in rules)
    full_at = seen.full_at if seen and touched is not None else now
    cache.set(_key(environment), Seen(newest, full_at, _edition(rules)), EVERYTHING_EVERY.total_seconds())
    reschedule(kind=KIND, key=str(environment_id), due_at=full_at + EVERYTHING_EVERY, priority=PRIORITY)
    return opened


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the rules have looked at an environment. It may be forgotten: then everything is looked at again."""

    change_id: int
    full_at: datetime
    edition: str


def _key(environment: Environment) -> str:
    return f"monitoring.seen.{environment.pk}"


def _edition(rules: Iterable[ExceptionRule]) -> str:
    """Another one whenever a rule was added, changed or removed."""
    stamps = json_text([[rule.key, rule.is_enabled, draft_of(rule).values()] for rule in rules])
    return hashlib.sha256(stamps.encode()).hexdigest()


def _seen_before(environment: Environment, rules: Iterable[ExceptionRule], now: datetime) -> Seen | None:
    """None when everything is to be looked at: it is time, the rules are others, or nobody remembers."""
    seen: Seen | None = cache.get(_key(environment))
    if seen is None or seen.edition != _edition(rules) or now - seen.full_at >= EVERYTHING_EVERY:
        return None
    return seen


def _newest_change(environment: Environment) -> int:
    found = CanonicalChange.objects.filter(environment_id=environment.pk).aggregate(newest=Max("id"))
    return found["newest"] or 0


def _touched(environment: Environment, last: int, newest: int) -> list[UUID] | None:
    """The records that changed since, and those they referred to before; None when there are too many."""
    changes = CanonicalChange.objects.filter(environment_id=environment.pk, id__gt=last, id__lte=newest).values_list(
        "record_id", "entity", "fields"
    )
    ids: set[UUID] = set()
    for record_id, entity, fields in changes.order_by("id").iterator(chunk_size=2000):
        ids.add(record_id)
        ids.update(_left(entity, fields))
        if len(ids) > MOST_TOUCHED:
            return None
    return sorted(ids)


def _left(entity: str, fields: dict[str, Any]) -> Iterable[UUID]:
    """What a changed reference pointed at before: no way leads there from the record any more."""
    for name in fields.keys() & REFERENCES.get(entity, {}).keys():
        values = fields[name]
        if isinstance(values, list) and values and values[0]:
            yield UUID(str(values[0]))


@transaction.atomic
def _evaluate(rule: ExceptionRule, environment: Environment, touched: Sequence[UUID] | None, now: datetime) -> int:
    lock_for_transaction(environment.pk)
    standing = {e.record_id: e for e in _standing(rule, environment)}
    if not rule.is_enabled:
        _resolve(rule, standing.values(), now)
        return 0
    compiled = CompiledRule(rule)
    try:
        # What stands is always looked at again: a system may show by now what it did not, without any change here.
        subset = None if touched is None else sorted({*roots_of(compiled, environment, touched), *standing})
        opened = _open_all(compiled, environment, subset, standing, now)
    except (AnticipatedError, ExpressionError):
        # It was checked when it was saved; the vocabulary may have changed since. The others must not suffer.
        log.exception("monitoring.rule_unreadable", rule=rule.key)
        return 0
    _resolve(rule, standing.values(), now)
    return opened


def _open_all(
    compiled: CompiledRule, environment: Environment, subset: list[UUID] | None,
    standing: dict[UUID, BusinessException], now: datetime,
) -> int:  # fmt: skip
    """What is still broken leaves `standing`; what remains there is resolved by the caller."""
    opened = 0
    if subset is not None and not subset:
        return 0
    for hits in find_hits(compiled, environment, now, record_ids=subset):
        fresh = [hit for hit in hits if hit.record_id not in standing]
        _renew([(hit, standing.pop(hit.record_id)) for hit in hits if hit.record_id in standing])
        opened += _open(compiled.rule, environment, fresh, now)
    return opened


def _standing(rule: ExceptionRule, environment: Environment) -> Iterable[BusinessException]:
    found: Iterable[BusinessException] = BusinessException.objects.standing().filter(rule=rule, environment=environment)
    return found


def _renew(known: list[tuple[Hit, BusinessException]]) -> None:
    changed = []
    for hit, exception in known:
        if (exception.stake, exception.since, exception.title) != (hit.stake, hit.since, hit.title):
            _describe(exception, hit)
            changed.append(exception)
    BusinessException.objects.bulk_update(changed, ["amount", "currency", "since", "title"], batch_size=1000)


def _describe(exception: BusinessException, hit: Hit) -> BusinessException:
    exception.title, exception.since = hit.title, hit.since
    exception.amount = hit.stake.amount if hit.stake else None
    exception.currency = hit.stake.currency if hit.stake else ""
    return exception


def _open(rule: ExceptionRule, environment: Environment, hits: list[Hit], now: datetime) -> int:
    rows = [
        _describe(
            BusinessException(
                customer_id=environment.customer_id, environment=environment, rule=rule, record_id=hit.record_id,
                opened_at=now,
            ),
            hit,
        )
        for hit in hits
    ]  # fmt: skip
    BusinessException.objects.bulk_create(rows, batch_size=1000)
    _tell(OPENED, rule, rows, now)
    return len(rows)


def _resolve(rule: ExceptionRule, exceptions: Iterable[BusinessException], now: datetime) -> None:
    done = list(exceptions)
    if not done:
        return
    BusinessException.objects.filter(pk__in=[exception.pk for exception in done]).update(
        status=ExceptionStatus.RESOLVED, resolved_at=now, snoozed_until=None
    )
    _tell(RESOLVED, rule, done, now)


def _tell(name: str, rule: ExceptionRule, exceptions: Iterable[BusinessException], now: datetime) -> None:
    record_events(
        facts=[
            (
                name,
                exception.owner_key,
                {
                    "exception_id": str(exception.pk), "rule": rule.key, "record_id": str(exception.record_id),
                    "title": exception.title,
                    "amount": {"amount": exception.amount, "currency": exception.currency} if exception.stake else None,
                },
            )
            for exception in exceptions
        ],
        now=now,
    )  # fmt: skip
