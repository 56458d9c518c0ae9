"""The five things that can go wrong with a vendor, named after what the engine must do."""

from __future__ import annotations

LONGEST_WAIT_SECONDS = 86_400.0


class ConnectorError(Exception):
    """Base of everything a connector raises on purpose.

    `message` is safe to show to a person (already redacted); `code` is the vendor's or our stable error code.
    """

    def __init__(self, message: str, *, code: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class ConfigurationError(ConnectorError):
    """A person must act (revoked token, missing permission, wrong address): pauses the connection."""


class TransientError(ConnectorError):
    """Worth trying again with backoff (5xx, connection reset, time-out)."""


class RateLimited(TransientError):
    """The vendor asks to wait `retry_after` seconds: defer, do not count as a failure."""

    def __init__(self, message: str, *, retry_after: float, code: str = "", status: int | None = 429) -> None:
        super().__init__(message, code=code, status=status)
        # Whatever the vendor says (also "inf"): a wait is finite, and after a day we ask again.
        self.retry_after = min(max(retry_after, 0.0), LONGEST_WAIT_SECONDS) if retry_after == retry_after else 0.0


class RecordRejected(ConnectorError):
    """This one record is refused (validation, business rule): dead-letter it and go on with the others."""


class FatalError(ConnectorError):
    """The conversation itself is broken (unexpected format, bug): stop the run and tell us."""
