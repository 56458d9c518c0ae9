"""The checklist of a cut-over: what the product sees for itself, and the points that people tick."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.customers.models import EnvironmentKind
from apps.flows.models import Integration, IntegrationStatus
from apps.modernization.models import LegacyInterface, ParallelRun, ParallelStatus
from apps.modernization.selectors import open_count
from apps.sync.models import FailureStatus, RecordFailure

FRESH_FOR = timedelta(days=7)
QUIET_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Check:
    """`detail` says what was seen, and where it does not hold what to do."""

    key: str
    label: str
    holds: bool
    detail: str = ""


def checks_of(interface: LegacyInterface, now: datetime) -> list[Check]:
    """What is checked by itself, then the points of people, in the order they were written down."""
    points = sorted(interface.points.all(), key=lambda point: point.pk)
    run = last_run(interface)
    return [
        _replacement(interface.integration),
        _compared(run, interface, now),
        _agreed(run),
        _no_errors(interface.integration),
        _dependencies(interface),
        _way_back(interface),
        *(Check(f"point:{point.pk}", point.text, point.ticked_at is not None) for point in points),
    ]


def unmet(checks: list[Check]) -> list[Check]:
    return [check for check in checks if not check.holds]


def open_errors(integration: Integration | None) -> int:
    if integration is None:
        return 0
    waiting = [FailureStatus.OPEN, FailureStatus.RETRYING]
    return RecordFailure.objects.filter(flow__integration=integration, status__in=waiting).count()


def last_run(interface: LegacyInterface) -> ParallelRun | None:
    """The newest comparison that was started and not stopped."""
    ended = ParallelRun.objects.filter(interface=interface).exclude(
        status__in=[ParallelStatus.DRAFT, ParallelStatus.CANCELED]
    )
    found: ParallelRun | None = ended.order_by("-id").first()
    return found


def _replacement(integration: Integration | None) -> Check:
    label = "The integration that replaces it is live in production"
    if integration is None:
        return Check("replacement", label, False, "Choose the integration that replaces it.")
    if integration.environment.kind != EnvironmentKind.PRODUCTION:
        return Check("replacement", label, False, f"{integration} stands in the sandbox. Bring it to production.")
    holds = integration.status == IntegrationStatus.LIVE
    state = str(integration.get_status_display()).lower()
    return Check("replacement", label, holds, f"{integration} is {state}.")


def _compared(run: ParallelRun | None, interface: LegacyInterface, now: datetime) -> Check:
    label = f"Compared within the last {FRESH_FOR.days} days"
    if run is None:
        return Check("compared", label, False, "Bring a result of the old interface and compare it.")
    if run.status != ParallelStatus.DONE or run.finished_at is None:
        return Check("compared", label, False, "The last comparison has not come to its end.")
    if run.integration_id != interface.integration_id:
        return Check(
            "compared", label, False, "The last comparison was with another integration. Compare it with this one."
        )
    if interface.rolled_back_at and not interface.is_gone and run.finished_at <= interface.rolled_back_at:
        return Check("compared", label, False, "It was rolled back since. Compare it again.")
    days = (now - run.finished_at).days
    told = "Compared today." if days == 0 else f"Compared {days} day{'s' if days > 1 else ''} ago."
    return Check("compared", label, now - run.finished_at <= FRESH_FOR, told)


def _agreed(run: ParallelRun | None) -> Check:
    label = "Nothing differs that nobody has accepted"
    if run is None or run.status != ParallelStatus.DONE:
        return Check("agreed", label, False, "There is no finished comparison.")
    if not run.old_count or not run.new_count:
        return Check("agreed", label, False, "One side of the last comparison was empty.")
    if not run.rules.compared:
        return Check("agreed", label, False, "It only looked which records there are. Compare what they say, too.")
    left = open_count(run)
    told = f"{left:,} finding{'s' if left != 1 else ''} to look at." if left else ""
    return Check("agreed", label, not left, told)


def _no_errors(integration: Integration | None) -> Check:
    count = open_errors(integration)
    told = f"{count:,} failed record{'s' if count != 1 else ''} on the error desk." if count else ""
    return Check(
        "errors", "No open errors in the integration that replaces it", integration is not None and not count, told
    )


def _dependencies(interface: LegacyInterface) -> Check:
    waiting = sorted(str(other) for other in interface.depends_on.all() if not other.is_gone)
    told = f"Not yet: {', '.join(waiting)}." if waiting else ""
    return Check("dependencies", "Everything it depends on is cut over", not waiting, told)


def _way_back(interface: LegacyInterface) -> Check:
    holds = bool(interface.way_back.strip())
    told = "" if holds else "Write down how the old interface is taken up again."
    return Check("way_back", "A way back is written down", holds, told)
