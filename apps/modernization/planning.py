"""What speaks against a wave plan, in words. Pure: the caller has read the interfaces, waves and dependencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from apps.flows.models import IntegrationStatus
from apps.modernization.models import Criticality, LegacyInterface, MigrationWave

NAMED = 4
Needs = Mapping[UUID, Sequence[UUID]]


@dataclass(frozen=True, slots=True)
class PlanNote:
    """`is_blocking`: the plan cannot go as it stands; otherwise somebody should look. `interface` is what it is about."""

    text: str
    is_blocking: bool = False
    interface: LegacyInterface | None = None


def check_plan(
    waves: Sequence[MigrationWave], interfaces: Sequence[LegacyInterface], needs: Needs, today: date
) -> list[PlanNote]:
    """Blocking notes first. Only what is still to be replaced is spoken of, and what stands on it already."""
    left = [interface for interface in interfaces if not interface.is_gone]
    known = {interface.pk: interface for interface in interfaces}
    notes = [
        *_order_of_dependencies(left, known, needs),
        *_taken_back(interfaces, known, needs),
        *_days_of_waves(waves, left, today),
        *_critical_together(left),
        *_without_replacement(left),
    ]
    return sorted(notes, key=lambda note: not note.is_blocking)


def _order_of_dependencies(
    left: Iterable[LegacyInterface], known: Mapping[UUID, LegacyInterface], needs: Needs
) -> Iterator[PlanNote]:
    for interface in left:
        for other in (known[pk] for pk in needs.get(interface.pk, []) if pk in known):
            if interface.wave is None or other.is_gone:
                continue
            if other.wave is None:
                text = f"{interface} stands in {interface.wave}, but {other}, which it depends on, stands in no wave."
                yield PlanNote(text, True, interface)
            elif other.wave.position > interface.wave.position:
                text = f"{interface} stands in {interface.wave}, but {other}, which it depends on, comes later, in {other.wave}."
                yield PlanNote(text, True, interface)


def _taken_back(
    interfaces: Iterable[LegacyInterface], known: Mapping[UUID, LegacyInterface], needs: Needs
) -> Iterator[PlanNote]:
    """What is cut over although something that it depends on was rolled back since."""
    for interface in interfaces:
        for other in (known[pk] for pk in needs.get(interface.pk, []) if pk in known):
            if interface.is_gone and other.is_rolled_back:
                text = f"{interface} is cut over, but {other}, which it depends on, was rolled back."
                yield PlanNote(text, True, interface)


def _days_of_waves(waves: Sequence[MigrationWave], left: Sequence[LegacyInterface], today: date) -> Iterator[PlanNote]:
    waiting = defaultdict[UUID | None, int](int)
    for interface in left:
        waiting[interface.wave_id] += 1
    last: MigrationWave | None = None
    for wave in waves:
        if wave.starts_on and wave.cut_over_on and wave.cut_over_on < wave.starts_on:
            yield PlanNote(f"{wave} is to be cut over before it starts.", True)
        if last and last.cut_over_on and wave.cut_over_on and wave.cut_over_on < last.cut_over_on:
            yield PlanNote(f"{wave} comes after {last}, but is to be cut over earlier.", True)
        if wave.cut_over_on and wave.cut_over_on < today and waiting[wave.pk]:
            count = waiting[wave.pk]
            told = "One interface of it is" if count == 1 else f"{count} interfaces of it are"
            yield PlanNote(f"The day of {wave} has passed. {told} still to be cut over.")
        last = wave if wave.cut_over_on else last


def _critical_together(left: Iterable[LegacyInterface]) -> Iterator[PlanNote]:
    same_day: dict[date, list[LegacyInterface]] = defaultdict(list)
    for interface in left:
        if interface.criticality == Criticality.CRITICAL and interface.wave and interface.wave.cut_over_on:
            same_day[interface.wave.cut_over_on].append(interface)
    for day, found in sorted(same_day.items()):
        if len(found) > 1:
            yield PlanNote(
                f"{_names(found)} are critical and cut over on the same day, {day:%-d %B %Y}.", False, found[0]
            )


def _without_replacement(left: Iterable[LegacyInterface]) -> Iterator[PlanNote]:
    found = list(left)
    for interface in found:
        if interface.integration is not None and interface.integration.status == IntegrationStatus.RETIRED:
            yield PlanNote(f"{interface.integration}, which replaces {interface}, is retired.", True, interface)
    yield from _together([one for one in found if one.integration is None], "Nothing replaces {} yet.")
    unplanned = [one for one in found if one.wave is None]
    yield from _together(unplanned, "{} stands in no wave." if len(unplanned) == 1 else "{} stand in no wave.")


def _together(found: Sequence[LegacyInterface], words: str) -> Iterator[PlanNote]:
    """One note for all of them: of a new list, they would be as many as its lines."""
    if len(found) == 1:
        yield PlanNote(words.format(found[0]), False, found[0])
    elif found:
        yield PlanNote(words.format(_names(found)))


def _names(found: Sequence[LegacyInterface]) -> str:
    """Of two or more: `A, B and C`; of many the first, and how many there are besides."""
    named = [str(one) for one in found[:NAMED]]
    last = f"{len(found) - NAMED} more" if len(found) > NAMED else named.pop()
    return f"{', '.join(named)} and {last}"
