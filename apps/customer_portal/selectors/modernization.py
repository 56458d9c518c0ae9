"""How far a customer's move off its old interfaces is, in its own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from apps.core.actor import Actor
from apps.modernization.models import InterfaceStatus, LegacyInterface
from apps.modernization.selectors import WaveState, by_wave, list_interfaces, list_waves
from apps.ui.status import Status, status_of

_STATES = {
    InterfaceStatus.IN_USE: ("Still in use", "idle"),
    InterfaceStatus.PARALLEL: ("Being compared", "info"),
    InterfaceStatus.CUT_OVER: ("Replaced", "ok"),
    InterfaceStatus.RETIRED: ("Replaced, and switched off", "ok"),
}


@dataclass(frozen=True, slots=True)
class Move:
    """`next_wave` is the first one in which something is still to be replaced."""

    waves: list[WaveState] = field(default_factory=list)
    total: int = 0
    done_count: int = 0
    next_wave: WaveState | None = None

    @property
    def next_day(self) -> date | None:
        return self.next_wave.wave.cut_over_on if self.next_wave and self.next_wave.wave else None


def move_of(actor: Actor) -> Move:
    """Raises NotPermitted."""
    interfaces = list(list_interfaces(actor))
    waves = by_wave(list_waves(actor), interfaces)
    filled = [state for state in waves if state.interfaces]
    waiting = next((state for state in filled if state.wave and state.done_count < len(state.interfaces)), None)
    return Move(filled, len(interfaces), sum(state.done_count for state in filled), waiting)


def told_status(interface: LegacyInterface) -> Status:
    label, tone = _STATES[InterfaceStatus(interface.status)]
    if interface.is_rolled_back and interface.status == InterfaceStatus.IN_USE:
        label = "In use again"
    return status_of(interface.status, label=label, tone=tone)
