"""What starts a flow: when it is due next, what it listens to, and the same in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

from apps.flows.words import TRIGGERING_EVENTS

if TYPE_CHECKING:
    from apps.flows.definition import TriggerSpec

SHORTEST_SECONDS, LONGEST_SECONDS = 60, 366 * 86400
LONGEST_CRON = 100
_ELSEWHERE = re.compile(r"(?:^|[,/-])[rh](?:$|[(,/])", re.IGNORECASE)
_SAMPLES = 32  # of a cron's times: enough to meet its longest gap of a month
_SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def is_cron(expression: str) -> bool:
    """Five fields that name times which do come."""
    parts = expression.split()
    # Random times (R) and hashed ones (H) would be others each time they are asked for.
    if len(parts) != 5 or len(expression) > LONGEST_CRON or any(_ELSEWHERE.search(part) for part in parts):
        return False
    if not croniter.is_valid(expression):
        return False
    try:
        croniter(expression, datetime(2026, 1, 1)).get_next(datetime)  # noqa: DTZ001 - only whether there is one
    except CroniterError:
        return False
    return True


def next_due(triggers: Iterable[TriggerSpec], now: datetime, zone: str) -> datetime | None:
    """When the next run on schedule is due; None when nothing is scheduled."""
    found = [now + timedelta(seconds=trigger.every) for trigger in triggers if trigger.every]
    found += [_next_of(trigger.cron, now, zone) for trigger in triggers if trigger.cron]
    return min(found, default=None)


def first_due(triggers: Iterable[TriggerSpec], now: datetime, zone: str) -> datetime | None:
    """When a flow that goes live runs first: at once, unless only a calendar says when."""
    known = list(triggers)
    if any(trigger.every or trigger.webhook or trigger.event for trigger in known):
        return now
    return next_due(known, now, zone)


def _next_of(cron: str, now: datetime, zone: str) -> datetime:
    """The times are local ones, and each comes once: an hour that the clocks skip is made up for, one that they repeat
    is not worked again.
    """
    place = ZoneInfo(zone)
    times = croniter(cron, now.astimezone(place).replace(tzinfo=None))
    while True:
        found: datetime = times.get_next(datetime).replace(tzinfo=place).astimezone(now.tzinfo)
        if found > now:
            return found


def nominal_seconds(triggers: Iterable[TriggerSpec]) -> int:
    """The longest time between two runs on schedule; 0 when there is none."""
    gaps = [trigger.every or _longest_gap(trigger.cron) for trigger in triggers if trigger.every or trigger.cron]
    return min(gaps, default=0)


def _longest_gap(cron: str) -> int:
    times = croniter(cron, datetime(2026, 1, 1))  # noqa: DTZ001 - gaps between wall-clock times
    found = [times.get_next(datetime) for _ in range(_SAMPLES)]
    return int(max((b - a).total_seconds() for a, b in pairwise(found)))


def events_of(triggers: Iterable[TriggerSpec]) -> set[str]:
    return {trigger.event for trigger in triggers if trigger.event}


def may_start(triggers: Iterable[TriggerSpec], *, api: bool) -> bool:
    """Whether a person (or, with `api`, a program) may start a run."""
    return any(trigger.api if api else trigger.manual for trigger in triggers)


def in_words(triggers: Iterable[TriggerSpec], roles: dict[str, str] | None = None) -> str:
    """For example “every 5 minutes, at once when the CRM tells of a change, when a deal is won”."""
    return ", ".join(dict.fromkeys(word for trigger in triggers if (word := _word(trigger, roles or {}))))


def _word(trigger: TriggerSpec, roles: dict[str, str]) -> str:
    if trigger.every:
        return f"every {_span(trigger.every)}"
    if trigger.cron:
        return f"by the calendar ({trigger.cron})"
    if trigger.webhook:
        return f"at once when {roles.get(trigger.webhook) or _role(trigger.webhook)} tells of a change"
    if trigger.event:
        return f"when {TRIGGERING_EVENTS[trigger.event]}"
    return "when somebody asks for it" if trigger.manual else ""


def _role(key: str) -> str:
    """A role without a name of its own: "the CRM", "the billing system"."""
    return f"the {key.upper()}" if len(key) <= 3 else f"the {key.replace('_', ' ')} system"


def _span(seconds: int) -> str:
    for length, word in _SPANS:
        if seconds % length == 0:
            count = seconds // length
            return word if count == 1 else f"{count} {word}s"
    raise AssertionError(seconds)


def driving_role(definition: Mapping[str, Any]) -> str:
    """The role whose changes drive a stored flow, '' when no vendor tells of them; older forms are known."""
    triggers = definition.get("triggers") or []
    webhooks = [str(trigger["webhook"]) for trigger in triggers if trigger.get("webhook")]
    return str(definition.get("webhook_role") or (webhooks[0] if webhooks else ""))
