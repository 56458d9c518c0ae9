"""A run that went through, and yet somebody should look: a system showed nothing, or much less than it usually does."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from apps.sync.models import RunLimits, RunStatus, RunStep, RunTrigger, SyncRun

# A run that asks for what is new reads little or nothing, and that is no news. One that reads all of it says how much
# there is.
WHOLE = (RunTrigger.RECONCILE, RunTrigger.REFRESH)
WENT_THROUGH = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
COMPARED = 5
WORTH_COMPARING = 10
LENGTH = 300


def find_warning(run: SyncRun, limits: RunLimits) -> str:
    """In words for a person; empty where there is nothing to say, or nothing to compare with."""
    if run.trigger not in WHOLE or run.status not in WENT_THROUGH:
        return ""
    whole = SyncRun.objects.filter(flow_id=run.flow_id, trigger__in=WHOLE, status__in=WENT_THROUGH).exclude(pk=run.pk)
    earlier = list(whole.order_by("-id").values_list("pk", flat=True)[:COMPARED])
    usual: dict[str, list[int]] = defaultdict(list)
    now: dict[str, int] = defaultdict(int)
    for label, run_id, counts in RunStep.objects.filter(run_id__in=[run.pk, *earlier]).values_list(
        "label", "run_id", "counts"
    ):
        if "read" not in counts:
            continue
        if run_id == run.pk:
            now[label] += counts["read"]
        else:
            usual[label].append(counts["read"])
    told = [_tell(label, count, median(usual[label]), limits) for label, count in now.items() if usual[label]]
    return " ".join(text for text in told if text)[:LENGTH]


def _tell(label: str, count: int, usual: float, limits: RunLimits) -> str:
    if usual < WORTH_COMPARING:
        return ""
    drop = 100 * (1 - count / usual)
    if drop < limits.drop_percent:
        return ""
    found = f"{count:,} records, {drop:.0f} % fewer than usual" if count else "no record at all; usual are"
    return f"{label}: {found} ({usual:,.0f})." if count else f"{label}: {found} about {usual:,.0f}."
