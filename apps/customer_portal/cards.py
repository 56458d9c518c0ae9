"""Rows of the portal's small lists, as the shared components want them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from django.urls import reverse

from apps.customer_portal.selectors.landscape import FlowState, SystemState
from apps.customer_portal.selectors.needs import CauseToFix
from apps.customer_portal.words import begin, count_of, join_words, spell
from apps.ui.status import Status


@dataclass(frozen=True, slots=True)
class NeedCard:
    title: str
    text: str
    tone: str
    url: str
    action_label: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class FlowCard:
    name: str
    description: str
    route: str
    status: Status
    in_step_until: datetime | None
    checked_at: datetime | None
    url: str
    failure_count: int


def need_cards(
    waiting: Iterable[SystemState],
    causes: Iterable[CauseToFix],
    *,
    may_connect: bool,
    decisions: Mapping[str, int] = MappingProxyType({}),
) -> list[NeedCard]:
    """Connections first: while one is down, everything behind it waits."""
    asked = [_decision_card(kind, decisions[kind]) for kind in _DECISIONS if decisions.get(kind)]
    return [
        *(_connection_card(system, may_connect) for system in waiting), *asked, *map(_cause_card, causes),
    ]  # fmt: skip


# {kind: (noun, what follows it, text, action, icon)}
_DECISIONS = {
    "questions": (
        "question", "only you can answer",
        "Your systems contradict each other, or hold what may be one thing twice. What is in doubt waits.",
        "Answer", "help-circle",
    ),
    "approvals": ("record", "to be released by you", "Nothing of it is written before you say so.", "Decide", "list-check"),
    "exceptions": (
        "step", "missing in your business",
        "What should have followed, such as an invoice after approved time, has not.", "What to do", "flag",
    ),
}  # fmt: skip


def _decision_card(kind: str, count: int) -> NeedCard:
    noun, follows, text, action, icon = _DECISIONS[kind]
    return NeedCard(
        title=begin(f"{count_of(count, noun)} {follows}"),
        text=text,
        tone="attention",
        url=reverse("customer_portal:needs_list"),
        action_label=action,
        icon=icon,
    )


def _connection_card(system: SystemState, may_connect: bool) -> NeedCard:
    again = " again" if system.was_connected else ""
    text = "Nothing is read from it or written to it until then."
    if not may_connect:
        text = f"{text} An administrator of your team can do this."
    return NeedCard(
        title=f"Connect {system.name}{again}",
        text=text,
        tone="attention",
        url=reverse("customer_portal:connection_detail", args=[system.connection.pk]),
        action_label="Connect" if may_connect else "Details",
        icon="plug-connected-x",
    )


def _cause_card(cause: CauseToFix) -> NeedCard:
    first, *others = cause.records
    more = f" and {spell(len(others))} more" if others else ""
    return NeedCard(
        title=f"Correct “{first.title}”{more}",
        text=f"{cause.system}: {cause.cause}",
        tone="attention",
        url=f"{reverse('customer_portal:needs_list')}#failure-{first.failure.pk}",
        action_label="What to do",
        icon="edit",
    )


def flow_cards(states: Iterable[FlowState]) -> list[FlowCard]:
    return [
        FlowCard(
            name=state.flow.name,
            description=state.flow.description,
            route=_route(state),
            status=state.status,
            in_step_until=state.flow.in_step_until,
            checked_at=state.last_checked_at,
            url=reverse("customer_portal:integration_detail", args=[state.flow.integration_id]),
            failure_count=state.failure_count,
        )
        for state in states
    ]


def _route(state: FlowState) -> str:
    """Such as "HubSpot → Tryton and Redmine", or "HubSpot ↔ Tryton"."""
    if not state.lines:
        return join_words([system.name for system in state.systems])
    first = state.lines[0][0]
    targets = join_words([target.name for source, target in state.lines if source == first])
    return f"{first.name} {'↔' if state.lines[-1][1] == first else '→'} {targets}"
