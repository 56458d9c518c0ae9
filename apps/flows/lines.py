"""Between which systems a flow carries changes, as it is drawn and said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.flows.triggers import driving_role


def lines_of(definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of roles (from, to) of a stored flow: from the one it listens to, to each it writes.

    A flow that also writes to the one it listens to brings there what it reads elsewhere: those lines lead back.
    """
    reads, written = _read(definition), _written(definition)
    # What is read last is what the flow is about; what comes before is what that refers to.
    source = driving_role(definition) or (reads[-1] if reads else "")
    back = dict.fromkeys(role for role in reads if role != source) if source in written else {}
    return [(source, role) for role in written if role != source] + [(role, source) for role in back]


def roles_of(definition: Mapping[str, Any]) -> list[str]:
    """Every role that a stored flow reads or writes."""
    return list(dict.fromkeys([*_read(definition), *_written(definition)]))


def _read(definition: Mapping[str, Any]) -> list[str]:
    return [str(read.get("role", "")) for read in definition.get("reads") or []]


def _written(definition: Mapping[str, Any]) -> dict[str, None]:
    rules = definition.get("rules") or []
    return dict.fromkeys(str(rule["write"].get("role", "")) for rule in rules if rule.get("write"))
