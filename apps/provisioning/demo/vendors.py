"""Hands on the simulated vendors: what a person does at their screens, over the sandbox's control plane."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from django.conf import settings

from apps.core import clock
from apps.provisioning.demo.cast import CustomerCast, PartnerCast

CLIENT_ID = "demo-app"
CLIENT_SECRET = "demo-app-secret"  # noqa: S105 - a simulated vendor's
WEBHOOK_SECRET = "demo-webhook-secret"  # noqa: S105
TIMEOUT_SECONDS = 30
# A firm of nobody's, whose systems a visitor connects for a customer of their own.
TRIAL = "trial"
TRIAL_VENDORS = ("hubspot", "tryton", "redmine")
TRIAL_DEALS = (("Brand film", "closedwon"), ("Campaign", "contractsent"), ("Launch site", "contractsent"))


class VendorRefused(RuntimeError):
    """The simulator did not do what the demo asked for."""


def _client() -> httpx2.Client:
    """To simulators, by plain http: certificates are not looked at, and not loaded, which takes longer than an order."""
    return httpx2.Client(timeout=TIMEOUT_SECONDS, trust_env=False, verify=False)  # noqa: S501


class VendorAccount:
    """One firm's account at one vendor."""

    def __init__(self, vendor: str, name: str) -> None:
        self.vendor = vendor
        self.name = name
        self.base_url = f"{settings.SANDBOX_URL}/{vendor}/{name}"
        # It opens a connection again that the other side closed in the meantime: a slow machine lives a month for minutes.
        self._client = _client()

    def order(self, method: str, path: str, body: Any = None) -> Any:
        """This function will send one order to the control plane. Raises VendorRefused."""
        target = f"/_control/{self.vendor}/{self.name}/{path}"
        try:
            response = self._client.request(method, settings.SANDBOX_URL + target, json=body)
        except httpx2.TransportError as error:
            raise VendorRefused(f"{method} {target}: {error}") from error
        if response.is_error:
            raise VendorRefused(f"{method} {target}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def set_clock(self, moment: datetime | None) -> None:
        self.order("POST", "clock", {"now": moment.isoformat() if moment else None})

    def set_faults(self, *faults: dict[str, Any]) -> None:
        self.order("POST", "faults", list(faults))

    def objects(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.order("GET", f"objects/{kind}")
        return found

    def create(self, kind: str, data: Any) -> Any:
        return self.order("POST", f"objects/{kind}", data)

    def update(self, kind: str, object_id: Any, data: dict[str, Any]) -> Any:
        return self.order("PATCH", f"objects/{kind}/{object_id}", data)

    def report_changes_to(self, url: str) -> None:
        self.order("POST", "webhooks", {"url": url, "secret": WEBHOOK_SECRET})


def secrets_of(vendor: str, account: str) -> dict[str, str]:
    """What the simulated vendor accepts and a person would paste into the connection's form."""
    return {} if vendor == "xero" else {"api_key": f"{account}-{vendor}-key"}


def account_of(customer: CustomerCast, vendor: str) -> VendorAccount:
    return VendorAccount(vendor, customer.slug)


def open_accounts(partner: PartnerCast, customer: CustomerCast) -> None:
    """This function will set the firm's accounts up as their vendors would after signing up."""
    for vendor in customer.vendors:
        account = account_of(customer, vendor)
        if vendor == "xero":
            account.order("POST", "settings", {"base_currency": partner.currency})
            account.order("POST", "credentials", {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
            continue
        account.order("POST", "credentials", secrets_of(vendor, customer.slug))
        if vendor == "hubspot":
            account.order("POST", "settings", {"currency": partner.currency})
        if vendor == "tryton":
            account.order("POST", "settings", {"company_name": customer.name})


def open_trial_accounts() -> None:
    """This function will open accounts that no connection knows yet, with one deal won and two to win."""
    accounts = {vendor: VendorAccount(vendor, TRIAL) for vendor in TRIAL_VENDORS}
    for vendor, account in accounts.items():
        account.order("POST", "credentials", secrets_of(vendor, TRIAL))
    accounts["hubspot"].order("POST", "settings", {"currency": "EUR"})
    accounts["tryton"].order("POST", "settings", {"company_name": "Trial Consulting"})
    (client,) = accounts["hubspot"].create("companies", [{"name": "Alder Foods", "domain": "alder.example"}])
    deals = [
        {"dealname": name, "amount": "9500", "dealstage": stage, "closedate": clock.now().date().isoformat(),
         "associations": {"companies": [client["id"]]}}
        for name, stage in TRIAL_DEALS
    ]  # fmt: skip
    accounts["hubspot"].create("deals", deals)


def agree_to_consent(url: str) -> tuple[str, str]:
    """This function will press "Allow access" on the vendor's consent page and return code and state."""
    parts = urlsplit(url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    with _client() as browser:
        browser.get(url)
        response = browser.post(url.partition("?")[0], data={**asked, "decision": "allow"})
    back = parse_qs(urlsplit(response.headers.get("Location", "")).query)
    if "code" not in back:
        raise VendorRefused(f"consent answered {response.status_code}")
    return back["code"][0], back["state"][0]
