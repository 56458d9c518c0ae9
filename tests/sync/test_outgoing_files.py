"""A flow that ends in files: every record once, references by their ids, nothing on a second pass."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from apps.connectors.models import Connection, StoredFile
from apps.connectors.registry import forget_custom
from apps.connectors.selectors import list_stored_files
from apps.connectors.services import create_connection, create_custom_connector, fetch_file, publish_connector
from apps.sync.models import RunStatus
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

INTAKE = """
kind: files
name: Old ledger
domain: erp
transport: upload
objects:
  - name: customers
    label: Customers
    entity: account
    file: {pattern: customers.csv}
    write: {mode: append, reference: Ref}
    id: Ref
    writes: {Name: record.name, Domain: record.domain}
    fields: {name: record.Name, domain: record.Domain}
  - name: projects
    label: Projects
    entity: project
    file: {pattern: "projects-*.csv", decimal: ","}
    write: {reference: Ref}
    columns: {Budget: number}
    id: Ref
    writes: {Name: record.name, Customer: refs.account, Budget: decimal(record.budget), Status: record.status}
    write_refs: {account: customers}
    required_refs: [account]
    fields: {name: record.Name, status: record.Status}
    refs: {account: {object: customers, id: record.Customer}}
"""


@pytest.fixture
def ledger(environment, owner_actor, now) -> Connection:
    made = create_custom_connector(actor=owner_actor, now=now, source=INTAKE)
    publish_connector(actor=owner_actor, now=now, connector=made)
    forget_custom(made.key)
    return create_connection(
        actor=owner_actor, now=now, environment=environment, vendor=made.key, name="Ledger", settings={}, secrets={}
    )


@pytest.fixture
def rows(ledger, owner_actor, now) -> Any:
    def read(start: str) -> list[dict[str, str]]:
        """Of every file of this name, as whoever fetches it sees them."""
        files = [file for file in reversed(list_stored_files(ledger)) if file.name.startswith(start)]
        texts = [b"".join(fetch_file(actor=owner_actor, now=now, file=file)).decode() for file in files]
        return [row for text in texts for row in csv.DictReader(io.StringIO(text))]

    return read


def win(number: int) -> None:
    crm = vendor("crm")
    crm.put("companies", f"c{number}", name=f"Customer {number}", domain=f"c{number}.example")
    budget = {"amount": 123450 + number, "currency": "EUR"}
    crm.put("deals", f"d{number}", name=f"Deal {number}", stage="won", company=f"c{number}", amount=budget)


def test_won_deals_arrive_in_files_once(deploy, ledger, rows, now):
    for number in (1, 2):
        win(number)
    flow = flow_of(deploy("opportunity-to-project", erp=ledger))
    first = run_flow(flow, now)
    customers, projects = rows("customers"), rows("projects")

    assert (first.status, first.error_message) == (RunStatus.SUCCEEDED, "")
    assert sorted((row["Name"], row["Domain"]) for row in customers) == [
        ("Customer 1", "c1.example"), ("Customer 2", "c2.example"),
    ]  # fmt: skip
    of = {row["Ref"]: row["Name"] for row in customers}
    assert sorted((row["Name"], of[row["Customer"]], row["Budget"], row["Status"]) for row in projects) == [
        ("Deal 1", "Customer 1", "1234,51", "open"), ("Deal 2", "Customer 2", "1234,52", "open"),
    ]  # fmt: skip

    before = StoredFile.objects.count()
    run_flow(flow, now)
    assert StoredFile.objects.count() == before

    win(3)
    run_flow(flow, now)
    assert sorted(row["Name"] for row in rows("customers")) == ["Customer 1", "Customer 2", "Customer 3"]
    assert sorted(row["Name"] for row in rows("projects")) == ["Deal 1", "Deal 2", "Deal 3"]
    assert len([file for file in list_stored_files(ledger) if file.name.startswith("projects-")]) == 2
