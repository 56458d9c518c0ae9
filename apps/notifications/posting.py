"""The request itself: guarded, bounded in time and size, never following a redirect."""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

import httpx2
from django.conf import settings

from apps.branding.selectors import current_brand
from apps.core.http import BlockedAddress, build_client
from apps.notifications.signing import signed_headers

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0
EXCERPT_BYTES = 1000
LONGEST_RETRY_AFTER = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to. `status` is empty when there was no answer; `retry_after` is what the receiver asked for."""

    status: int | None
    error: str
    excerpt: str
    duration_ms: int
    retry_after: timedelta = timedelta(0)

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Poster:
    """Sends to one address over one kept-open connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.user_agent = f"{_agent_name(current_brand().name)}/1.0"
        self._client = build_client(
            allow_private=settings.OUTBOUND_ALLOW_PRIVATE, timeout=ANSWER_SECONDS, connect_timeout=CONNECT_SECONDS
        )

    def __enter__(self) -> Poster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def post(self, message_id: str, body: bytes, secrets: list[str], now: datetime) -> Outcome:
        headers = {
            **signed_headers(secrets, message_id, now, body), "content-type": "application/json",
            "user-agent": self.user_agent, "accept-encoding": "identity",
        }  # fmt: skip
        began = time.monotonic()
        try:
            request = self._client.build_request("POST", self.url, content=body, headers=headers)
            response = self._client.send(request, stream=True)
            try:
                excerpt = _read_excerpt(response, began + ANSWER_SECONDS)
            finally:
                response.close()
        except BlockedAddress as error:
            return Outcome(None, f"Not allowed: {error}."[:300], "", _since(began))
        except httpx2.TimeoutException:
            return Outcome(None, f"No answer within {ANSWER_SECONDS:.0f} seconds.", "", _since(began))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return Outcome(None, f"No connection: {error}"[:300], "", _since(began))
        return Outcome(response.status_code, _error_of(response), excerpt, _since(began), _retry_after(response))


def _read_excerpt(response: httpx2.Response, until: float) -> str:
    """The beginning of the answer. Nobody is waited for who sends a byte now and then."""
    found = b""
    for chunk in response.iter_raw():
        found += chunk[: EXCERPT_BYTES - len(found)]
        if len(found) >= EXCERPT_BYTES or time.monotonic() > until:
            break
    return found.decode("utf-8", "replace").replace("\x00", "")[:EXCERPT_BYTES]


def _error_of(response: httpx2.Response) -> str:
    if 200 <= response.status_code < 300:
        return ""
    if 300 <= response.status_code < 400:
        return f"Answered {response.status_code}: redirects are not followed. Enter the final address."
    return f"Answered {response.status_code}."


def _retry_after(response: httpx2.Response) -> timedelta:
    given = response.headers.get("retry-after", "")
    return min(timedelta(seconds=int(given)), LONGEST_RETRY_AFTER) if re.fullmatch(r"\d{1,6}", given) else timedelta(0)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _agent_name(name: str) -> str:
    """The brand's name as a product token: letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-") or "webhooks"
