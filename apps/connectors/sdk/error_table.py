"""HTTP answer → one of the five errors: the single table, with room for what a vendor does differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from apps.connectors.sdk.errors import (
    ConfigurationError,
    ConnectorError,
    FatalError,
    RateLimited,
    RecordRejected,
    TransientError,
)

STATUS_ERRORS: Mapping[int, type[ConnectorError]] = {
    400: RecordRejected,
    401: ConfigurationError,
    402: ConfigurationError,
    403: ConfigurationError,
    404: RecordRejected,
    405: FatalError,
    406: FatalError,
    408: TransientError,
    409: RecordRejected,
    410: RecordRejected,
    412: RecordRejected,
    413: RecordRejected,
    415: FatalError,
    422: RecordRejected,
    423: TransientError,
    425: TransientError,
    429: RateLimited,
    501: FatalError,
}
DEFAULT_RETRY_AFTER_SECONDS = 10.0


class VendorResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: `data` is the parsed JSON (None when the body is empty or not JSON). Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    data: Any = None
    url: str = ""


class ErrorText(msgspec.Struct, frozen=True):
    """What the vendor said went wrong."""

    message: str = ""
    code: str = ""


class ErrorTable(msgspec.Struct, frozen=True, kw_only=True):
    """How one vendor's answers become errors.

    `overrides` replaces entries of the table (Harvest answers 403 for a revoked token ...). `describe` reads the vendor's
    error body. `classify` looks at the whole answer first and may name the class, even for a 200 (Odoo); None means
    "use the table". `accepts` names answers that are good ones whatever their status says. `delay` reads the wait from a vendor's own headers; `Retry-After` is understood anyway.

        ErrorTable(overrides={409: TransientError}, describe=lambda data: ErrorText(data["message"], data["category"]))
    """

    overrides: Mapping[int, type[ConnectorError]] = {}
    describe: Callable[[Any], ErrorText] | None = None
    classify: Callable[[VendorResponse], type[ConnectorError] | None] | None = None
    delay: Callable[[Mapping[str, str]], float | None] | None = None
    accepts: Callable[[VendorResponse], bool] | None = None

    def error_for(self, response: VendorResponse, *, now: datetime) -> ConnectorError | None:
        """The error this answer stands for, or None when it is a good one."""
        kind = None if self.accepts and self.accepts(response) else self._kind(response)
        if kind is None:
            return None
        text = self._text(response)
        message = f"{text.message or 'the vendor answered'} (HTTP {response.status})"
        if issubclass(kind, RateLimited):
            wait = self._retry_after(response.headers, now)
            return kind(message, retry_after=wait, code=text.code, status=response.status)
        return kind(message, code=text.code, status=response.status)

    def _kind(self, response: VendorResponse) -> type[ConnectorError] | None:
        named = self.classify(response) if self.classify else None
        if named is not None or response.status < 300:
            return named
        status = response.status
        return self.overrides.get(status) or STATUS_ERRORS.get(status) or _by_class(status)

    def _text(self, response: VendorResponse) -> ErrorText:
        if self.describe is None or response.data is None:
            return ErrorText()
        try:
            return self.describe(response.data)
        except (KeyError, TypeError, AttributeError, IndexError):
            # An error body of another shape (a proxy's, a maintenance page's) must not hide the status.
            return ErrorText()

    def _retry_after(self, headers: Mapping[str, str], now: datetime) -> float:
        wait = parse_retry_after(headers.get("retry-after"), now=now)
        if wait is None and self.delay is not None:
            wait = self.delay(headers)
        return DEFAULT_RETRY_AFTER_SECONDS if wait is None else max(0.0, wait)


def _by_class(status: int) -> type[ConnectorError]:
    if status >= 500:
        return TransientError
    if status >= 400:
        return RecordRejected
    # A redirect: the address is wrong (http for https, a moved site), and following it could lead anywhere.
    return ConfigurationError


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds of a `Retry-After` header, which may be a number or an HTTP date."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
