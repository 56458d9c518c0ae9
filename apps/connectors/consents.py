"""Tying a consent to the browser that began it.

The portal may stand on the partner's own domain, the way back from the vendor is on the permanent host. So the browser
is first sent to that host, where it gets a cookie with the state; an answer with another browser's state is refused
(RFC 6749 §10.12). The signed address lives for two minutes and leads nowhere but to where we said.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

from django.core import signing
from django.utils.crypto import constant_time_compare

from apps.connectors.selectors import hash_state
from apps.core.planes import require_tenant_schema
from apps.tenants.selectors import absolute_url, platform_host

START_PATH = "/oauth/start"
COOKIE_SECONDS = 600
_START_SECONDS = 120


def start_address(vendor_url: str) -> str:
    """Where a portal sends the browser, to go on to the vendor's page."""
    signed = signing.dumps(vendor_url, salt=_salt(), compress=True)
    return absolute_url(platform_host(require_tenant_schema()), f"{START_PATH}?to={quote(signed)}")


def read_start(signed: str) -> tuple[str, str] | None:
    """The vendor's address and its state; None for anything we did not sign two minutes ago at most."""
    try:
        url = str(signing.loads(signed, salt=_salt(), max_age=_START_SECONDS))
    except signing.BadSignature:
        return None
    return url, parse_qs(urlsplit(url).query)["state"][0]


def cookie_name(state: str) -> str:
    """One cookie for each consent under way: two tabs do not disturb each other."""
    return f"consent-{hash_state(state)[:12]}"


def is_same_browser(state: str, cookie: str | None) -> bool:
    return bool(state) and constant_time_compare(state, cookie or "")


def _salt() -> str:
    return f"consent|{require_tenant_schema()}"
