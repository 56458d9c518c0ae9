"""The error desk's reads: what is in sight, how it develops, who did what, how a retry of many goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate

from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.sync.models import UNSOLVED, FailureNote, FailureRetry, FailureStatus, RecordFailure

TREND_DAYS = 14


def snoozed(now: datetime) -> Q:
    """Unsolved, and out of sight for now."""
    return Q(status__in=UNSOLVED) & (Q(snoozed_until__gt=now) | Q(snoozed_attempts__gt=F("attempts")))


def awake(now: datetime) -> Q:
    """Of what is unsolved, all that is not snoozed."""
    by_count = Q(snoozed_attempts=None) | Q(snoozed_attempts__lte=F("attempts"))
    return (Q(snoozed_until=None) | Q(snoozed_until__lte=now)) & by_count


def is_snoozed(failure: RecordFailure, now: datetime) -> bool:
    by_time = failure.snoozed_until is not None and failure.snoozed_until > now
    by_count = failure.snoozed_attempts is not None and failure.snoozed_attempts > failure.attempts
    return failure.status in UNSOLVED and (by_time or by_count)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many failures are in which state; snoozed ones are unsolved, too."""

    total: int
    open: int
    unsolved: int
    snoozed: int
    ignored: int


def standing_of(failures: QuerySet[RecordFailure], now: datetime) -> Standing:
    """In one question, whatever is asked of it."""
    states = {
        "open": Q(status=FailureStatus.OPEN), "unsolved": Q(status__in=UNSOLVED), "snoozed": snoozed(now),
        "ignored": Q(status=FailureStatus.IGNORED),
    }  # fmt: skip
    counts = {name: Count("pk", filter=state) for name, state in states.items()}
    return Standing(**failures.order_by().aggregate(total=Count("*"), **counts))


def trend_of(
    failures: QuerySet[RecordFailure], fingerprints: Collection[str], now: datetime
) -> dict[str, list[int]]:  # fmt: skip
    """Records that began to fail on each of the last 14 days (UTC), today last, by cause; settled ones too."""
    today = now.date()
    days = [today - timedelta(days=back) for back in reversed(range(TREND_DAYS))]
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=TREND_DAYS - 1)
    rows = (
        failures.filter(fingerprint__in=fingerprints, first_at__gte=since)
        .order_by()
        .values_list("fingerprint", TruncDate("first_at"))
        .annotate(count=Count("*"))
    )
    counted = {(fingerprint, day): count for fingerprint, day, count in rows}
    return {name: [counted.get((name, day), 0) for day in days] for name in fingerprints}


def list_notes(actor: Actor, failure: RecordFailure) -> QuerySet[FailureNote]:
    """Who did what about the record, newest first. The team's own: whoever acts for one customer finds none."""
    notes: QuerySet[FailureNote] = FailureNote.objects.visible_to(actor).filter(failure=failure)
    return notes if actor.scope is None else notes.none()


def list_retries(actor: Actor) -> QuerySet[FailureRetry]:
    """Newest first, without the ids of what they are about."""
    visible = FailureRetry.objects.visible_to(actor).defer("failure_ids")
    found: QuerySet[FailureRetry] = visible.order_by("-requested_at", "-id")
    return found


def get_retry(actor: Actor, retry_id: UUID) -> FailureRetry:
    """Raises NotVisible."""
    return get_visible(list_retries(actor), retry_id, "There is no such retry.")


@dataclass(frozen=True, slots=True)
class RetryProgress:
    """Exact counts of records: resolved + failed + waiting + withdrawn + passed_over = total."""

    total: int
    resolved: int
    failed: int
    waiting: int
    withdrawn: int
    passed_over: int

    @property
    def done(self) -> int:
        return self.total - self.waiting

    @property
    def is_active(self) -> bool:
        return self.waiting > 0


def retry_progress(retry: FailureRetry) -> RetryProgress:
    counts = Counter(dict(retry.failures.order_by().values_list("status").annotate(count=Count("id"))))
    resolved, waiting = counts[FailureStatus.RESOLVED], counts[FailureStatus.RETRYING] + retry.to_ask_count
    # All others failed again; a later retry, or whoever ignored them, may have taken them over since.
    failed = retry.total - resolved - waiting - retry.withdrawn_count - retry.passed_over_count
    return RetryProgress(retry.total, resolved, failed, waiting, retry.withdrawn_count, retry.passed_over_count)
