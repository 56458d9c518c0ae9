"""The catalogue over the API, and connectors written down: drafted, published, brought back, taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apps.connectors.models import CustomConnector
from apps.core.ids import encode_id
from apps.customers.models import Customer
from tests.api.conftest import ApiClient
from tests.factories.delivery import make_connection

KIMAI = Path("docs/examples/connectors/kimai.yaml").read_text(encoding="utf-8")
BASE = "/connectors/custom"


def put(api: ApiClient, path: str, body: Any) -> Any:
    return api.client.put(f"/api/v1{path}", body, content_type="application/json")


def test_the_catalogue_says_what_each_does_and_what_was_shown(api: ApiClient) -> None:
    found = {entry["key"]: entry for entry in api.get("/connectors").json()["connectors"]}

    objects = {entry["name"]: entry for entry in found["xero"]["objects"]}
    assert len(found) == 18
    assert (found["tryton"]["evidence"], found["netsuite"]["evidence"]) == ("real_server", "simulated")
    assert (found["tryton"]["domains"], found["xero"]["webhooks"]) == (["erp", "billing"], True)
    assert objects["invoices"] == {
        "name": "invoices", "label": "Sales invoices", "entity": "invoice", "reads": True, "creates": True,
        "updates": True, "deletes": True,
    }  # fmt: skip
    assert "taxnumber" in found["xero"]["hidden_fields"]
    assert found["jira"]["hidden_fields"] == []


def test_a_connector_is_written_published_changed_and_brought_back(api: ApiClient) -> None:
    made = api.post(BASE, {"source": KIMAI}, key="once")
    again = api.post(BASE, {"source": KIMAI}, key="once")
    own = f"{BASE}/{made.json()['id']}"

    assert (made.status_code, again.json()["id"]) == (201, made.json()["id"])
    assert (made.json()["key"], made.json()["published"]) == ("custom-kimai", None)

    first = api.post(f"{own}/publish", {"note": "First"}).json()
    put(api, own, {"source": KIMAI.replace("name: Kimai", "name: Kimai Cloud", 1)})
    second = api.post(f"{own}/publish").json()
    restored = api.post(f"{own}/restore", {"version": 1}).json()

    assert (first["published"]["number"], first["published"]["note"], first["published_source"]) == (1, "First", KIMAI)
    assert [version["number"] for version in second["versions"]] == [2, 1]
    assert (restored["draft"], restored["published"]["number"]) == (KIMAI, 2)
    assert "custom-kimai" in {entry["key"] for entry in api.get("/connectors").json()["connectors"]}
    assert [entry["id"] for entry in api.get(BASE).json()["data"]] == [made.json()["id"]]

    assert api.post(f"{own}/archive").status_code == 204
    assert (api.get(own).status_code, api.get(BASE).json()["data"]) == (404, [])


def test_what_cannot_work_is_told_with_its_place(api: ApiClient) -> None:
    answer = api.post(BASE, {"source": KIMAI.replace("entity: account", "entity: dragon", 1)})

    assert answer.status_code == 400
    assert "objects[0].entity" in str(answer.json())
    assert CustomConnector.objects.count() == 0


def test_a_customers_key_reads_the_catalogue_and_writes_no_connector(api: ApiClient, bound: ApiClient) -> None:
    own = f"{BASE}/{api.post(BASE, {'source': KIMAI}).json()['id']}"

    assert bound.get("/connectors").status_code == 200
    assert (bound.get(BASE).status_code, bound.get(own).status_code) == (403, 403)
    assert bound.post(f"{own}/publish").status_code == 403
    assert bound.post(BASE, {"source": KIMAI.replace("name: Kimai", "name: Mine", 1)}).status_code == 403
    assert CustomConnector.objects.count() == 1


def test_hosts_that_may_be_called_are_read_and_replaced(api: ApiClient) -> None:
    kept = put(api, "/allowed-hosts", {"hosts": ["https://api.hubapi.com/crm", "*.Xero.com"]})
    wrong = put(api, "/allowed-hosts", {"hosts": ["not a host"]})

    assert kept.json() == api.get("/allowed-hosts").json() == {"hosts": ["*.xero.com", "api.hubapi.com"]}
    assert (wrong.status_code, wrong.json()["code"]) == (400, "unable_to_restrict")


def test_a_connection_tells_how_much_of_today_is_used(api: ApiClient, brightwater: Customer) -> None:
    hubspot = make_connection(brightwater, "hubspot", name="CRM")

    told = api.get(f"/connections/{encode_id('con', hubspot.pk)}").json()

    assert told["usage"] == {"calls_today": 0, "calls_per_day": 250_000}
