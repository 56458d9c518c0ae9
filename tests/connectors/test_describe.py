"""What connectors tell of an object's fields, custom ones too, and what is seen in records where they tell nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.fields import Choice, FieldDescription, describe_samples, value_at
from apps.connectors.vendors.hubspot import HubSpotConnector
from sandbox.testing import RunningSandbox
from tests.connectors.odoo.support import Firm
from tests.connectors.salesforce.support import connect as connect_salesforce


def by_name(fields: list[FieldDescription]) -> dict[str, FieldDescription]:
    return {field.path.removeprefix("properties.") or field.target: field for field in fields}


def test_hubspot_tells_its_properties_and_the_portals_own(sandbox: RunningSandbox) -> None:
    control = sandbox.control("hubspot", "described")
    control.credentials(api_key="pat-1234567890")
    connector = HubSpotConnector(
        ConnectionContext(
            settings={"base_url": sandbox.base_url("hubspot", "described")}, credentials={"api_key": "pat-1234567890"},
            now=lambda: datetime.now(UTC), allow_private=True,
        )
    )  # fmt: skip
    options = [{"value": "g", "label": "Gold"}, {"value": "s", "label": "Silver"}]
    connector.client.post(
        "/crm/v3/properties/companies",
        json={
            "name": "tier", "label": "Tier", "type": "enumeration", "fieldType": "select", "groupName": "x",
            "options": options,
        },
    )  # fmt: skip

    found = by_name(connector.describe("companies"))

    assert found["tier"] == FieldDescription(
        path="properties.tier", label="Tier", choices=(Choice("g", "Gold"), Choice("s", "Silver")), target="tier"
    )
    assert (found["name"].path, found["name"].target) == ("properties.name", "name")
    assert (found["annualrevenue"].path, found["annualrevenue"].kind) == ("", "number")  # not read, but writable
    assert "createdate" not in found
    connector.close()


@pytest.mark.parametrize("version", [17, 19])
def test_odoo_tells_its_fields_and_reads_the_firms_own(sandbox: RunningSandbox, version: int) -> None:
    firm = Firm(sandbox, version)
    firm.control.settings(
        version=version,
        database="northwind",
        custom_fields={"res.partner": {"x_tier": "char", "x_tags": "one2many x y"}},
    )
    firm.make("res.partner", name="Initech", is_company=True, x_tier="gold")
    connector = firm.connect()

    found = by_name(connector.describe("companies"))
    page = next(iter(connector.stream("companies").read(checkpoint=None)))
    record = next(record for record in page.records if record.data["name"] == "Initech")

    assert found["x_tier"] == FieldDescription(path="x_tier", label="Tier", kind="text", target="x_tier")
    assert (found["name"].required, found["name"].target) == (True, "name")
    assert "x_tags" not in found
    assert record.data["x_tier"] == "gold"
    connector.close()


def test_salesforce_tells_what_is_required(sandbox: RunningSandbox) -> None:
    connector = connect_salesforce(sandbox, "described")

    found = by_name(connector.describe("opportunities"))

    assert (found["Name"].required, found["Name"].target, found["Name"].path) == (True, "Name", "Name")
    assert (found["Amount"].kind, found["Amount"].required) == ("number", False)
    assert found["IsDeleted"].target == ""
    connector.close()


def test_where_nothing_is_told_records_show_paths_and_kinds() -> None:
    records: list[dict[str, Any]] = [
        {"id": 7, "name": None, "address": {"city": "Bonn", "geo": {}}, "tags": ["a"]},
        {"name": "Initech", "since": "2026-01-31", "at": "2026-01-31T10:00:00Z", "ok": True, "rate": 1.5},
    ]

    assert [(field.path, field.kind) for field in describe_samples(records)] == [
        ("id", "integer"), ("name", "text"), ("address.city", "text"), ("address.geo", "object"), ("tags", "list"),
        ("since", "date"), ("at", "datetime"), ("ok", "boolean"), ("rate", "number"),
    ]  # fmt: skip
    assert value_at(records[0], "address.city") == "Bonn"
    assert value_at({"a.b": 1}, "a.b") == 1
    assert value_at(records[0], "address.zip.code") is None
