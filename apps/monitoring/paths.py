"""Ways from one record to others, written as people can read them.

A step is a reference of the record (`invoice`, `project`) or another kind's reference to it (`contract.project`: a
contract whose `project` it is). Steps are joined by `/`, ways by `|`: `contract.project | opportunity/contract.opportunity`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apps.connectors.sdk.entities import REFERENCES
from apps.core.errors import AnticipatedError

MOST_STEPS, MOST_WAYS = 3, 4


class UnableToRead(AnticipatedError):
    """A path or condition of a rule is not understood."""


@dataclass(frozen=True, slots=True)
class Step:
    """Along the reference `name`, forwards from the record that has it or backwards to it; arrives at `entity`."""

    name: str
    is_forward: bool
    entity: str


Way = tuple[Step, ...]


def read_ways(text: str, entity: str, field: str) -> tuple[Way, ...]:
    """Raises UnableToRead."""
    if not text.strip():
        return ()
    ways = tuple(_read_way(part, entity, field) for part in text.split("|"))
    if len(ways) > MOST_WAYS:
        raise UnableToRead(f"Name at most {MOST_WAYS} ways.", field=field)
    return ways


def _read_way(text: str, entity: str, field: str) -> Way:
    steps: list[Step] = []
    at = entity
    for word in (part.strip() for part in text.split("/")):
        steps.append(_read_step(word, at, field))
        at = steps[-1].entity
    if len(steps) > MOST_STEPS:
        raise UnableToRead(f"A way has at most {MOST_STEPS} steps.", field=field)
    return tuple(steps)


def _read_step(word: str, entity: str, field: str) -> Step:
    if word in REFERENCES.get(entity, {}):
        return Step(word, True, REFERENCES[entity][word])
    other, _, name = word.partition(".")
    if REFERENCES.get(other, {}).get(name) == entity:
        return Step(name, False, other)
    known = ", ".join(choices_from(entity)) or "nothing"
    kind = f"{'an' if entity[0] in 'aeio' else 'a'} {entity.replace('_', ' ')}"
    raise UnableToRead(f"“{word}” leads nowhere from {kind}. From there one gets to: {known}.", field=field)


def choices_from(entity: str) -> list[str]:
    """The steps one can take from a record of this kind."""
    own = list(REFERENCES.get(entity, {}))
    back = [f"{other}.{n}" for other, names in REFERENCES.items() for n, target in names.items() if target == entity]
    return [*own, *back]


def joins(way: Way, start: str, prefix: str) -> tuple[str, list[Any], str]:
    """(tables and joins, parameters, the column with the id of the record it leads to)."""
    parts: list[str] = []
    parameters: list[Any] = []
    here = start
    for number, step in enumerate(way):
        alias = f"{prefix}{number}"
        near, far = ("source_id", "target_id") if step.is_forward else ("target_id", "source_id")
        parts.append(f"canonical_canonicallink {alias} ON {alias}.{near} = {here} AND {alias}.name = %s")
        parameters.append(step.name)
        here = f"{alias}.{far}"
        if not step.is_forward:
            # Several kinds have a reference of this name to the same record.
            kind = f"{prefix}{number}r"
            parts.append(f"canonical_canonicalrecord {kind} ON {kind}.id = {here} AND {kind}.entity = %s")
            parameters.append(step.entity)
    return " JOIN ".join(parts), parameters, here


def prefixes(ways: Sequence[Way]) -> Iterator[Way]:
    """Every beginning of every way, each once: where a change may matter to the record the way starts from."""
    seen: set[Way] = set()
    for way in ways:
        for length in range(1, len(way) + 1):
            if way[:length] not in seen:
                seen.add(way[:length])
                yield way[:length]
