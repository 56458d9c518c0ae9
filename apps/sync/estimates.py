"""Real time or scheduled, in numbers: what each choice costs in calls and money, and how late changes arrive.

From the flow's own last two weeks: an idle run costs some calls, each change some more; a change waits for the next run
and then for the run itself. Estimates, rounded; the bases stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Count

from apps.billing.rating import PriceTerms, TaxRule, rate_invoice
from apps.connectors.registry import get_manifest
from apps.flows.models import Flow, RoleBinding
from apps.sync.models import RunStatus, SyncRun, VendorCall

WINDOW = timedelta(days=14)
MOST_RUNS = 500
SAMPLED_RUNS = 20
DAY = 86_400
MONTH_DAYS = 30
BACKING_SECONDS = 900  # a webhook is backed by a poll: what a vendor forgot to tell arrives with it


@dataclass(frozen=True, slots=True)
class Basis:
    """What the flow's history says. Calls of a run without changes, calls each change adds, seconds of a run."""

    runs: int
    days: float
    changes_per_day: float
    calls_per_idle_run: float
    calls_per_change: float
    run_seconds: float


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to start a flow. `every` seconds between runs; a webhook starts more of them, at once."""

    key: str
    label: str
    every: int
    is_webhook: bool = False
    cron: str = ""

    def triggers(self, webhooks: Iterable[str], others: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """As a flow has them; `others` are those that no schedule replaces."""
        own: list[dict[str, Any]] = [{"cron": self.cron}] if self.cron else [{"every": self.every}]
        own += [{"webhook": role} for role in webhooks] if self.is_webhook else []
        return [*own, *others]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A choice in numbers. `quota_percent` is of the scarcest daily quota, None where no vendor has one.

    `amount` is what its runs and records cost a month by the plan, in minor units; None without a plan.
    """

    choice: Choice
    runs_per_day: int
    calls_per_day: int
    quota_percent: float | None
    quota_system: str
    amount: int | None
    delay_p50_seconds: int
    delay_p95_seconds: int


CHOICES = (
    Choice("webhook", "As it happens", BACKING_SECONDS, is_webhook=True),
    Choice("1", "Every minute", 60),
    Choice("5", "Every 5 minutes", 300),
    Choice("15", "Every 15 minutes", 900),
    Choice("60", "Every hour", 3600),
    Choice("nightly", "Every night", DAY, cron="0 2 * * *"),
)


def choices_for(bindings: Sequence[RoleBinding]) -> tuple[list[Choice], list[str]]:
    """The choices there are, and the roles whose vendors tell of changes."""
    telling = [b.role for b in bindings if get_manifest(b.connection.vendor).webhook is not None]
    return [choice for choice in CHOICES if telling or not choice.is_webhook], telling


def basis_of(flow: Flow, now: datetime) -> Basis:
    """From runs that ended well in the last two weeks; zeros where there is no history."""
    ended = SyncRun.objects.filter(
        flow=flow, finished_at__gte=now - WINDOW, started_at__isnull=False,
        status__in=[RunStatus.SUCCEEDED, RunStatus.PARTIAL],
    )  # fmt: skip
    runs = list(ended.order_by("-id")[:MOST_RUNS])
    if not runs:
        return Basis(0, 0, 0, 0, 0, 0)
    since = min(run.finished_at for run in runs if run.finished_at)
    days = max((now - since).total_seconds() / DAY, 1 / 24)
    changes = [run.created_count + run.updated_count for run in runs]
    idle = [run.call_count for run, count in zip(runs, changes, strict=True) if not count]
    per_idle = float(median(idle)) if idle else float(min(run.call_count for run in runs))
    extra = sum(max(0.0, run.call_count - per_idle) for run in runs)
    lasted = [(run.finished_at - run.started_at).total_seconds() for run in runs if run.finished_at and run.started_at]
    total = sum(changes)
    return Basis(
        len(runs), round(days, 1), total / days, per_idle, extra / total if total else 0.0, float(median(lasted))
    )


def estimate(
    choice: Choice, basis: Basis, shares: Sequence[tuple[str, float, int]], prices: list[PriceTerms] | None
) -> Estimate:
    """`shares`: name, part of the calls and daily quota of each system that has one."""
    told = min(basis.changes_per_day, DAY / 10) if choice.is_webhook else 0.0
    runs = DAY / choice.every + told
    calls = runs * basis.calls_per_idle_run + basis.changes_per_day * basis.calls_per_change
    used = [(calls * part / quota * 100, name) for name, part, quota in shares]
    percent, system = max(used, default=(None, ""))
    wait = 0 if choice.is_webhook else choice.every
    return Estimate(
        choice, round(runs), round(calls), round(percent, 1) if percent is not None else None, system,
        _amount(prices, runs, basis), round(wait / 2 + basis.run_seconds), round(wait * 0.95 + basis.run_seconds),
    )  # fmt: skip


def _amount(prices: list[PriceTerms] | None, runs: float, basis: Basis) -> int | None:
    if prices is None:
        return None
    usage = {
        "flow_runs": Decimal(round(runs * MONTH_DAYS)),
        "records_synced": Decimal(round(basis.changes_per_day * MONTH_DAYS)),
    }
    metered = [price for price in prices if price.meter]
    return rate_invoice(metered, usage, TaxRule(category="Z", rate=Decimal(0))).subtotal_amount


def shares_of(flow: Flow, bindings: Sequence[RoleBinding]) -> list[tuple[str, float, int]]:
    """How the calls of the flow's last runs were spread over systems with a daily quota."""
    last = list(SyncRun.objects.filter(flow=flow).order_by("-id").values_list("id", flat=True)[:SAMPLED_RUNS])
    rows = VendorCall.objects.filter(run_id__in=last).values_list("connection_id").annotate(count=Count("id"))
    counts = dict(rows.order_by())
    systems = {binding.connection_id: binding.connection for binding in bindings}
    total = sum(counts.values())
    found = []
    for connection in systems.values():
        quota = get_manifest(connection.vendor).rate_limit.per_day
        if quota:
            part = counts.get(connection.pk, 0) / total if total else 1 / len(systems)
            found.append((connection.name, part, quota))
    return found
