"""Two people with the same page open: whoever saves second is told, and overwrites nothing they have not seen."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from apps.core.errors import Conflict

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class ChangedMeanwhile(Conflict):
    """Somebody saved something else since the page was shown."""

    code = "changed_meanwhile"


def stamp_of(draft: DataclassInstance) -> str:
    """Stands for what one form shows: it changes when somebody changes any of it."""
    said = [_said(getattr(draft, one.name)) for one in fields(draft)]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def demand_unchanged(known: DataclassInstance, seen: str) -> None:
    """`seen`: the stamp of what was shown; empty where nothing was. Raises ChangedMeanwhile."""
    if seen and seen != stamp_of(known):
        raise ChangedMeanwhile("Somebody else has changed this meanwhile. Load the page again, and change it there.")


def _said(value: Any) -> object:
    """Rows by their keys, in no order."""
    if isinstance(value, tuple):
        return sorted(str(row.pk) for row in value)
    return str(getattr(value, "pk", value))
