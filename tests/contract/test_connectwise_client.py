"""A well-known ConnectWise client, generated from its description, against our simulator: a judge of names and types."""

from __future__ import annotations

import orjson
import pytest
from pyconnectwise import ConnectWiseManageAPIClient
from pyconnectwise.models import manage
from pyconnectwise.utils.naming import to_camel_case

from tests.connectors.connectwise.harness import ConnectWiseHarness
from tests.connectors.delivery import write, written

pytestmark = pytest.mark.contract

MODELS = {
    "/company/companies": manage.Company,
    "/company/contacts": manage.Contact,
    "/project/projects": manage.Project,
    "/project/tickets": manage.ProjectTicket,
    "/service/tickets": manage.Ticket,
    "/time/entries": manage.TimeEntry,
}
RECORDS = {
    "companies": {"name": "Initech", "phone": "+49 1", "website": "https://initech.test"},
    "contacts": {"name": "Ada L", "first_name": "Ada", "last_name": "L", "email": "a@b.test", "phone": "+49 2"},
    "projects": {"name": "Rollout", "status": "open", "start_date": "2026-11-01", "end_date": "2026-12-31"},
    "tasks": {"name": "Design", "status": "open", "estimate_seconds": 45000},
    "tickets": {"name": "Printer on fire", "status": "new", "description": "It burns"},
    "time_entries": {"work_date": "2026-11-20", "duration_seconds": 5400, "billable": True, "description": "Work"},
}
CLOSED = {"projects": "closed", "tasks": "done", "tickets": "solved"}


class LoopbackClient(ConnectWiseManageAPIClient):
    """The client speaks https only."""

    base_url = ""

    def _get_url(self) -> str:
        return f"{self.base_url}/v4_6_release/apis/3.0"


@pytest.fixture
def harness(server):
    return ConnectWiseHarness(server)


@pytest.fixture
def client(harness, monkeypatch):
    monkeypatch.setattr(LoopbackClient, "base_url", harness.base_url)
    key = harness.credentials(valid=True)["private_key"]
    return LoopbackClient("acme", "loopback", "client-1", "pub-1", key, codebase="v4_6_release/")


def test_the_client_reads_what_the_simulator_holds(client, harness):
    for stream in harness.connector_type.stream_types:
        harness.seed(stream, 1)

    assert client.company.companies.get()[0].identifier.startswith("company")
    assert client.company.contacts.get()[0].communication_items[0].communication_type == "Email"
    assert client.system.members.get()[0].first_name == "Omar"
    assert client.project.projects.get()[0].billing_method == "ActualRates"
    assert client.project.tickets.get()[0].budget_hours == 12.5
    assert client.service.tickets.get(params={"conditions": 'recordType="ServiceTicket"'})[0].closed_flag is False
    assert client.time.entries.get()[0].charge_to_type == "ProjectTicket"
    assert client.expense.entries.get()[0].amount == 33.5


def test_the_client_counts_pages_and_patches(client, harness):
    seeded = harness.seed("contacts", 3)

    pages = client.company.contacts.paginated(1, 2)
    assert [str(contact.id) for contact in pages.data] == seeded[:2]
    patched = client.company.contacts.id(int(seeded[0])).patch(
        [{"op": "replace", "path": "lastName", "value": "Lovelace"}]
    )

    assert patched.last_name == "Lovelace"


def drive(harness) -> None:
    """Every sink, for a new record and a change."""
    connector = harness.connector()
    streams = {
        "account": "companies",
        "contact": "contacts",
        "project": "projects",
        "task": "tasks",
        "resource": "members",
    }
    for name, record in RECORDS.items():
        needed = connector.manifest.sink(name).refs
        refs = {ref: str(harness.known(streams[ref])) for ref in needed}
        made = written(write(connector, name, f"c-{name}", record, **refs))
        changed = {**record, **({"status": CLOSED[name]} if name in CLOSED else {})}
        written(write(connector, name, f"u-{name}", changed, made.external_id, **refs))


def sent_fields(body) -> set[str]:
    """Names at the top of a new record, or the paths of a patch."""
    found = orjson.loads(body)
    return {operation["path"] for operation in found} if isinstance(found, list) else set(found)


def test_every_field_sent_is_one_the_client_knows(server, harness, figures):
    before = len(server.exchanges("connectwise"))
    drive(harness)

    writes = [exchange for exchange in server.exchanges("connectwise")[before:] if exchange.method in ("POST", "PATCH")]
    unknown, judged = {}, set()
    for exchange in writes:
        path = next(path for path in MODELS if path in exchange.path)
        names = {to_camel_case(name) for name in MODELS[path].model_fields}
        judged.add((exchange.method, path))
        unknown[path] = unknown.get(path, set()) | (sent_fields(exchange.body) - names)
    figures.append(f"connectwise: {len(writes)} writes judged by a client generated from the description")

    assert unknown == {path: set() for path in MODELS}
    assert judged == {(method, path) for method in ("POST", "PATCH") for path in MODELS}
