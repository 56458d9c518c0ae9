"""The one sentence that answers "are my systems in step?". Pure: judged from a landscape, tested without a database."""

from __future__ import annotations

from dataclasses import dataclass

from apps.connectors.models import ConnectionStatus
from apps.customer_portal.selectors.landscape import FlowState, Landscape
from apps.customer_portal.words import begin, count_of, join_words, spell
from apps.ui.status import Tone


@dataclass(frozen=True, slots=True)
class Summary:
    tone: Tone
    sentence: str


def summarize(landscape: Landscape) -> Summary:
    """The worst thing first, and only that one: the details stand below it."""
    if not landscape.integrations:
        return Summary(Tone.IDLE, "Nothing is connected yet.")
    waiting = [system for system in landscape.systems if system.needs_person]
    if waiting:
        verb = "needs" if len(waiting) == 1 else "need"
        again = " again" if all(system.was_connected for system in waiting) else ""
        names = join_words([system.name for system in waiting])
        return Summary(Tone.ATTENTION, f"{names} {verb} to be connected{again}.")
    if not landscape.live_flows:
        return Summary(Tone.IDLE, "Your integrations are not running at the moment.")
    return _of_flows(landscape.live_flows) or _of_systems(landscape)


def _of_flows(flows: list[FlowState]) -> Summary | None:
    stopped = [state.flow.name for state in flows if state.status.tone is Tone.FAILING]
    if stopped:
        return Summary(Tone.FAILING, f"“{stopped[0]}” could not run." if len(stopped) == 1 else _several(stopped))
    failures = sum(state.failure_count for state in flows)
    if failures:
        return Summary(Tone.ATTENTION, begin(f"{count_of(failures, 'record')} could not be brought into step."))
    behind = [state.flow.name for state in flows if state.status.tone is Tone.ATTENTION]
    if behind:
        return Summary(Tone.ATTENTION, f"“{behind[0]}” is behind." if len(behind) == 1 else "Some flows are behind.")
    if any(state.status.tone is Tone.INFO for state in flows):
        return Summary(Tone.INFO, "The first run is under way.")
    return None


def _several(names: list[str]) -> str:
    return begin(f"{count_of(len(names), 'flow')} could not run.")


def _of_systems(landscape: Landscape) -> Summary:
    troubled = [s.name for s in landscape.systems if s.connection.status == ConnectionStatus.DEGRADED]
    if troubled:
        verb = "does" if len(troubled) == 1 else "do"
        return Summary(Tone.ATTENTION, f"{join_words(troubled)} {verb} not answer well right now. We keep trying.")
    count = len(landscape.systems)
    if count == 2:
        return Summary(Tone.OK, "Both systems are in step.")
    subject = "Your system is" if count == 1 else f"All {spell(count)} systems are"
    return Summary(Tone.OK, f"{subject} in step.")
