"""Real answers of a Salesforce org: the connector reads and maps them all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.vendors.salesforce.connector import SalesforceConnector, announced_delay
from apps.connectors.vendors.salesforce.objects import CURRENCY, OBJECTS
from apps.connectors.vendors.salesforce.sinks import _outcome
from apps.connectors.vendors.salesforce.streams import SalesforceStream
from tests.connectors.salesforce.support import map_refs, map_source
from tests.contract.recordings import Recording, load

pytestmark = pytest.mark.contract

STREAM_OF = {found.sobject: name for name, found in OBJECTS.items()}
# A mapping needs the fields it names without asking whether they are there; some recordings asked for others only.
NEEDED = {"Account": "Name", "Contact": "LastName", "Opportunity": "StageName"}


class RecordedConnector(SalesforceConnector):
    """Rows of recorded answers; the rest of a long answer is another recording."""

    def __init__(self) -> None:
        self.client: Any = SimpleNamespace(get=lambda path: {"records": [], "done": True})
        self.base_url = "https://recorded.my.salesforce.com"
        self.context: Any = SimpleNamespace(settings={"currency": "USD"})


def rows_of(recording: Recording) -> list[dict[str, Any]]:
    answer = recording.response
    if not isinstance(answer, dict) or not isinstance(answer.get("records"), list):
        return []
    found = list(RecordedConnector()._rows(answer))
    kinds = [row["attributes"]["type"] for row in answer["records"]]
    return [{**row, "_kind": kind} for row, kind in zip(found, kinds, strict=True)]


def complete(row: dict[str, Any]) -> dict[str, Any]:
    """What our own query adds and the recorded ones did not ask for."""
    stage = row.get("StageName")
    names = {"Name": f"{row.get('FirstName') or ''} {row.get('LastName')}".strip()} if "LastName" in row else {}
    closed = {"IsWon": stage == "Closed Won", "IsClosed": stage in ("Closed Won", "Closed Lost")} if stage else {}
    return {"IsDeleted": False, **names, **closed, **row}


def test_every_recorded_row_is_parsed_and_mapped(evidence, figures):
    recordings = load(evidence, "salesforce")
    parsed = mapped = 0
    for recording in recordings:
        for row in rows_of(recording):
            parsed += 1
            kind = row.pop("_kind")
            if "SystemModstamp" in row and NEEDED.get(kind) in row:
                assert_mapped(kind, complete(row), recording.name)
                mapped += 1
    figures.append(f"salesforce: {len(recordings)} recorded exchanges ({parsed} rows), {mapped} rows mapped")
    assert (len(recordings), parsed, mapped) == (92, 4577, 2330)


def assert_mapped(kind: str, row: dict[str, Any], where: str) -> None:
    name = STREAM_OF[kind]
    record = SalesforceStream(RecordedConnector(), salesforce_object=OBJECTS[name])._record(row)
    fields = map_source(name, record.data)
    assert record.external_id == row["Id"], where
    assert record.modified_at is not None, where
    assert fields["name"] == row["Name"], where
    if kind == "Contact":
        assert map_refs(name, record.data)["account"] == row["AccountId"], where
    if kind == "Opportunity" and row["Amount"] is not None:
        assert fields["amount"] == {"amount": round(row["Amount"] * 100), "currency": "USD"}, where
        assert fields["stage"] in ("won", "lost", "open"), where


def test_recorded_results_of_collections_are_understood(evidence):
    results = {
        recording.name: _outcome(recording.response[0])
        for recording in load(evidence, "salesforce")
        if recording.path.startswith(tuple(f"/services/data/v{n}.0/composite/sobjects" for n in range(50, 70)))
    }

    taken = {name[4:]: outcome for name, outcome in results.items() if isinstance(outcome, str)}
    refused = {name[4:]: outcome for name, outcome in results.items() if not isinstance(outcome, str)}
    assert taken == {
        "create-sobject-collection.test.json": "001dM00003kS2ndQAC",
        "delete-sobject-collection.test.json": "001dM00003kREKdQAO",
    }
    assert {(name, type(error), error.code, error.status) for name, error in refused.items()} == {
        ("update-sobject-collection.test.json", RecordRejected, "INVALID_CROSS_REFERENCE_KEY", 404),
        ("upsert-sobject-collection.test.json", RecordRejected, "JSON_PARSER_ERROR", 400),
    }


def test_the_recorded_description_holds_what_we_select(evidence):
    described = next(r for r in load(evidence, "salesforce") if r.path.endswith("/sobjects/Account/describe"))
    known = {field["name"] for field in described.response["fields"]}

    assert {*OBJECTS["accounts"].fields, "Id", "IsDeleted", "CreatedDate", "SystemModstamp"} <= known
    assert CURRENCY not in known
    assert {name for name in known if name.endswith("__c")} >= {"SLA__c", "Active__c"}


def test_the_recorded_usage_header_is_understood(evidence):
    assert announced_delay({"sforce-limit-info": "api-usage=891/15000"}) == 30.0
    assert announced_delay({"sforce-limit-info": "api-usage=15000/15000"}) == 900.0
