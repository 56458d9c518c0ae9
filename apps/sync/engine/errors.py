"""Why a run stops, or one record does not go through."""

from __future__ import annotations

from datetime import datetime

from apps.connectors.models import Connection
from apps.connectors.sdk.errors import (
    ConfigurationError,
    ConnectorError,
    FatalError,
    RateLimited,
    RecordRejected,
    TransientError,
)
from apps.sync.models import ErrorClass, HeldBy
from apps.sync.vendor_errors import is_business_rule


class RunStopped(Exception):  # noqa: N818 - names the fact
    """Base of the reasons to leave a run before its end."""


class ClaimLost(RunStopped):
    """Another worker took the run over, or it was ended meanwhile: this one must not write any more."""


class RunCanceled(RunStopped):
    """A person asked to stop; what was done stays done."""


class RunDeferred(RunStopped):
    """The run waits and then goes on where it stopped: until `resume_at`, or until somebody says so (None)."""

    def __init__(
        self, resume_at: datetime | None, reason: str, *, held_by: str = HeldBy.VENDOR, guard: str = ""
    ) -> None:
        super().__init__(reason)
        self.resume_at = resume_at
        self.reason = reason
        self.held_by = held_by
        self.guard = guard


class RunFailed(RunStopped):
    """The run cannot go on; `connection` is the system that stopped it, if one did."""

    def __init__(self, error_class: str, message: str, connection: Connection | None = None) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.connection = connection


class RecordProblem(Exception):  # noqa: N818 - names the fact
    """One record cannot be brought into step; the run goes on."""

    def __init__(self, error_class: str, message: str, *, code: str = "") -> None:
        # Messages quote what they refuse, and the database holds no null characters.
        message, code = message.replace("\x00", "\ufffd"), code.replace("\x00", "\ufffd")
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.code = code


def classify(error: ConnectorError, vendor: str = "") -> str:
    """The error class that people see. `vendor`: whose codes it may carry."""
    if isinstance(error, ConfigurationError):
        return ErrorClass.AUTH
    if isinstance(error, RateLimited):
        return ErrorClass.RATE_LIMIT
    if isinstance(error, TransientError):
        return ErrorClass.VENDOR_DOWN
    if isinstance(error, RecordRejected):
        return ErrorClass.BUSINESS_RULE if is_business_rule(vendor, error.code) else ErrorClass.VALIDATION
    assert isinstance(error, (FatalError, ConnectorError))  # noqa: S101 - for the reader: whatever else there is
    return ErrorClass.INTERNAL
