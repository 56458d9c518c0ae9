"""Parts of the partner's own configuration as plain data; each room registers what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.core.actor import Actor

Data = dict[str, Any]


def _as_given(wanted: Any) -> Any:
    return wanted


@dataclass(frozen=True, slots=True)
class Section:
    """`describe` gives what is decided; `carry_out` makes it exactly what it is given.

    `shape` is the type that given data must have, `normal` writes them as `describe` would. `permission`: who may read
    it and change it.
    """

    key: str
    label: str
    shape: Any
    permission: str
    describe: Callable[[], Data]
    carry_out: Callable[[Actor, datetime, Any], None]
    normal: Callable[[Any], Any] = _as_given


_sections: dict[str, Section] = {}


def register_section(section: Section) -> None:
    _sections[section.key] = section


def sections_for(actor: Actor) -> list[Section]:
    """Those the actor may read and change, in the order of their keys."""
    return [section for _, section in sorted(_sections.items()) if actor.can(section.permission)]
