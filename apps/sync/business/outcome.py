from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from apps.canonical.workspace import State
from apps.core.errors import AnticipatedError


class UnableToCall(AnticipatedError):
    """An input is missing, has the wrong form or names a record that is not there; `field` says which."""


@dataclass(frozen=True)
class Outcome:
    """`record`: what the service made, changed or looked at. `values`: what it found out, where it only looks."""

    record: State
    is_new: bool = False
    values: dict[str, Any] = field(default_factory=dict)
