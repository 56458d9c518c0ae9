"""The connectors' conformance suite on a real BottleCRM."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance, Delivery
from tests.connectors.bottlecrm.harness import BottleWork
from tests.connectors.harness import webhook_receiver
from tests.real.servers import RealServer
from tests.real.servers.bottlecrm import run_inside

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]

COUNTED = {"contacts": "count", "opportunities": "opportunities_count"}
# BottleCRM's own code builds, signs and sends; only its guard against loopback addresses is lifted.
SEND = """
import urllib.request, django
django.setup()
from django.utils import timezone
from accounts.models import Account
from common.models import Org, User
from common.tasks import set_rls_context
from webhooks import events, ssrf, tasks
from webhooks.emit import envelope
from webhooks.models import WebhookDelivery, WebhookEndpoint

def post(url, body, headers, timeout):
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=timeout).status

ssrf.post = post
org = Org.objects.get(name="Firm")
set_rls_context(org.id)
endpoint = WebhookEndpoint.objects.create(
    org=org, url="{url}", events=["account.updated"], created_by=User.objects.get(email="admin@firm.test"))
payload = envelope(org.id, "account.updated", events.account_data(Account.objects.get(pk="{record}")))
delivery = WebhookDelivery.objects.create(
    org=org, endpoint=endpoint, event="account.updated", event_id=payload["id"], payload=payload,
    next_attempt_at=timezone.now())
assert tasks.attempt_delivery(delivery.id, org.id).status == "succeeded"
print(endpoint.secret)
"""


class RealBottle(BottleWork):
    abilities = frozenset({"webhooks"})

    def __init__(self, server: RealServer) -> None:
        super().__init__()
        self.server = server

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.server.base_url}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return self.server.credentials if valid else {"api_key": "bcrm_pat_wrong-key-0987654321"}

    def make(self, kind: str, data: dict[str, Any]) -> str:
        if kind == "quotes":
            return self.make_quote(data)
        return str(self.call("POST", f"/api/{kind}/", data)["id"])

    def make_quote(self, data: dict[str, Any]) -> str:
        """An estimate needs a person of the account."""
        account, number = data["account_id"], data["title"].split()[-1]
        person = {"first_name": "Q", "last_name": number, "email": f"q{number}@example.org", "account": account}
        body = {**data, "contact_id": self.make("contacts", person)}
        return str(self.call("POST", "/api/invoices/estimates/", body)["estimate"]["id"])

    def change_record(self, kind: str, external_id: str, data: dict[str, Any]) -> None:
        method, path = ("PUT", "invoices/estimates") if kind == "quotes" else ("PATCH", kind)
        self.call(method, f"/api/{path}/{external_id}/", data)

    def count(self, sink: str) -> int:
        answer = self.call("GET", f"/api/{sink}/")
        if sink == "accounts":
            halves = ("active_accounts", "open_accounts_count"), ("closed_accounts", "close_accounts_count")
            return sum(int(answer[half][name]) for half, name in halves)
        return int(answer[COUNTED[sink]])

    def call(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.server.credentials['api_key']}", "Content-Type": "application/json"}
        body = json.dumps(data).encode() if data else None
        request = urllib.request.Request(self.server.base_url + path, body, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def delivery(self, stream: str) -> Delivery:
        (record,) = self.seed(stream, 1)
        with webhook_receiver() as (url, received):
            secret = run_inside(self.server, SEND.format(url=url, record=record)).split()[-1]
            headers, body = received.get(timeout=10)
        return Delivery(secret=secret, headers=headers, body=body, url=url, now=datetime.now(UTC))


class TestRealBottleCrmConformance(ConnectorConformance):
    @pytest.fixture
    def harness(self, bottlecrm_server: RealServer) -> RealBottle:
        return RealBottle(bottlecrm_server)
