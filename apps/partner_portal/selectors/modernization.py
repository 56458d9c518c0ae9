"""What was done about an old interface, as its page tells it."""

from __future__ import annotations

from typing import Any

from apps.audit.models import AuditEvent
from apps.modernization.models import LegacyInterface

LISTED_ACTS = 30
_ACTS = {
    "added": "Written down", "changed": "Changed", "point_added": "Point added", "point_ticked": "Point ticked",
    "point_unticked": "Point taken back", "point_removed": "Point removed", "compared": "Comparison started",
    "comparison_stopped": "Comparison stopped", "findings_accepted": "Findings accepted",
    "acceptance_withdrawn": "Acceptance withdrawn", "cut_over": "Cut over", "rolled_back": "Rolled back",
    "retired": "Retired",
}  # fmt: skip


def list_acts(interface: LegacyInterface) -> list[dict[str, Any]]:
    """The newest first, as entries of a timeline: title, moment, who, and the words that were given."""
    events = AuditEvent.objects.filter(target_key=interface.subject_key).order_by("-id")[:LISTED_ACTS]
    return [
        {
            "title": _ACTS.get(event.action.partition(".")[2], event.action), "at": event.at, "actor": event.actor_label,
            "body": _words(event.after or {}),
        }
        for event in events
    ]  # fmt: skip


def _words(after: dict[str, Any]) -> str:
    return next((str(after[name]) for name in ("reason", "text", "file") if after.get(name)), "")
