"""What continuous integration asks of the demo: does everything answer, and does a run get through every process?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime

import httpx2
from django.conf import settings

from apps.core import clock
from apps.core.planes import public_plane, tenant_plane
from apps.provisioning.demo import cast
from apps.provisioning.demo.cast import PartnerCast
from apps.provisioning.demo.work import Firm
from apps.sync.models import RunStatus, SyncRun
from apps.tenants.models import Partner

RUN_SECONDS = 60.0
POLL_SECONDS = 0.1
GOOD = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')

Say = Callable[[str], object]


class CheckFailed(AssertionError):
    """Something of the demo does not work."""


class Visitor:
    """A browser at one host of the demo; names below localhost need no resolver."""

    def __init__(self, slug: str) -> None:
        port = settings.PLATFORM_PORT
        host = f"{slug}.localhost" if slug else "localhost"
        self.client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Host": f"{host}:{port}"}, timeout=30, trust_env=False
        )
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> str:
        """This method will return the page. Raises CheckFailed for anything but 200."""
        response = self._send("GET", path)
        if response.status_code != 200:
            raise CheckFailed(f"{path} answered {response.status_code} {response.headers.get('location', '')}")
        return response.text

    def sign_in(self, email: str) -> None:
        token = TOKEN.search(self.get("/accounts/login/"))
        if token is None:
            raise CheckFailed("the sign-in page has no form")
        form = {"csrfmiddlewaretoken": token[1], "login": email, "password": cast.PASSWORD}
        response = self._send("POST", "/accounts/login/", form)
        if response.status_code != 302:
            raise CheckFailed(f"signing in as {email} answered {response.status_code}")

    def _send(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx2.Response:
        # Kept by hand: a jar ties cookies to the address, which is the loopback's for every host.
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        response = self.client.request(method, path, data=form, headers=header)
        self.cookies.update(dict(response.cookies))
        return response


def check_demo(say: Say) -> None:
    """This function will try the demo once as its visitors would. Raises CheckFailed."""
    for partner in cast.PARTNERS:
        _check_portals(partner, say)
    _timed(say, "back office", lambda: _open("", "/partners/", cast.OPERATOR_EMAIL))
    _timed(say, "a run, vendor to vendor", lambda: _check_run(cast.PARTNERS[0]))


def _check_portals(partner: PartnerCast, say: Say) -> None:
    _timed(
        say,
        f"{partner.slug} sign-in page",
        lambda: _require(partner.name, Visitor(partner.slug).get("/accounts/login/")),
    )
    _timed(say, f"{partner.slug} partner portal", lambda: _open(partner.slug, "/manage/", partner.owner.email))
    customer = partner.customers[0]
    page = _timed(say, f"{partner.slug} customer portal", lambda: _open(partner.slug, "/", customer.contact.email))
    _require(customer.name, page)


def _open(slug: str, path: str, email: str) -> str:
    visitor = Visitor(slug)
    visitor.sign_in(email)
    return visitor.get(path)


def _require(words: str, page: str) -> str:
    if words.replace("&", "&amp;") not in page:
        raise CheckFailed(f"{words!r} is not on the page")
    return page


def _check_run(partner: PartnerCast) -> str:
    """A deal is won at the vendor: its webhook has to end in a finished run."""
    began = clock.now()
    firm = Firm(partner, partner.customers[0], seed=began.isoformat())
    firm.open_deals(1, began.date())
    firm.win_deals(1, began.date())
    with public_plane():
        schema = Partner.objects.get(slug=partner.slug).schema_name
    with tenant_plane(schema):
        return _await_run(firm.customer.name, began)


def _await_run(customer: str, began: datetime) -> str:
    deadline = time.monotonic() + RUN_SECONDS
    runs = SyncRun.objects.filter(customer__name=customer, flow__key="won-opportunities", started_at__gte=began)
    while time.monotonic() < deadline:
        run = runs.exclude(finished_at=None).first()
        if run is not None:
            if run.status not in GOOD:
                raise CheckFailed(f"the run {run.status}: {run.error_message}")
            return str(run.status)
        time.sleep(POLL_SECONDS)
    raise CheckFailed(f"no run of {customer} ended within {RUN_SECONDS:.0f} s")


def _timed(say: Say, what: str, action: Callable[[], str]) -> str:
    began = time.monotonic()
    found = action()
    say(f"  {what:<32} {time.monotonic() - began:6.2f} s")
    return found
