"""A system whose files people upload, and one file that waits for a look."""

from __future__ import annotations

from datetime import datetime

from apps.connectors.models import Connection, CustomConnector, StoredFile
from apps.connectors.registry import forget_custom
from apps.connectors.services import create_connection, create_custom_connector, publish_connector, stage_file
from apps.core.actor import Actor
from apps.customers.models import Environment

SOURCE = """
kind: files
name: Ledger files
domain: erp
transport: upload
objects:
  - name: customers
    label: Customers
    entity: account
    file: {pattern: "customers*.csv", delimiter: ";", decimal: ","}
    columns: {Limit: number}
    id: Number
    fields: {name: record.Name, number: record.Number}
"""
GOOD = "Number;Name;Limit\nC1;Initech;1,5\nC2;Hooli;x\nC3;Umbrella;\n"


def make_ledger(actor: Actor, now: datetime) -> CustomConnector:
    ledger = create_custom_connector(actor=actor, now=now, source=SOURCE)
    publish_connector(actor=actor, now=now, connector=ledger)
    forget_custom(ledger.key)
    ledger.refresh_from_db()
    return ledger


def connect_ledger(actor: Actor, now: datetime, environment: Environment) -> Connection:
    return create_connection(
        actor=actor,
        now=now,
        environment=environment,
        vendor="custom-ledger-files",
        name="Ledger",
        settings={},
        secrets={},
    )


def upload(
    actor: Actor, now: datetime, connection: Connection, text: str = GOOD, name: str = "customers.csv"
) -> StoredFile:
    return stage_file(actor=actor, now=now, connection=connection, name=name, content=[text.encode()])
