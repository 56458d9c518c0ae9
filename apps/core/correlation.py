"""One id that ties a request, its tasks, log lines and audit events together."""

from __future__ import annotations

import re
from contextvars import ContextVar

from apps.core.ids import uuid7

_current: ContextVar[str] = ContextVar("request_id", default="")
_ACCEPTABLE = re.compile(r"^[A-Za-z0-9-]{8,64}$")


def request_id() -> str:
    """The current id; a new one where nothing has begun one yet."""
    if not _current.get():
        _current.set(uuid7().hex)
    return _current.get()


def begin(candidate: str = "") -> str:
    """This function will adopt a well-formed id from upstream, or make a new one."""
    _current.set(candidate if _ACCEPTABLE.match(candidate) else uuid7().hex)
    return _current.get()
