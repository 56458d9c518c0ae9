"""Real answers of HubSpot: the connector reads and maps them all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from apps.connectors.vendors.hubspot.objects import OBJECTS
from apps.connectors.vendors.hubspot.streams import HubSpotStream
from tests.contract.hubspot_support import map_source
from tests.contract.recordings import Recording, load, matching

pytestmark = pytest.mark.contract

WITH_A_STREAM = r"^/crm/v3/objects/(companies|contacts|deals)(?:/|$)"
# A mapping needs the field that names the record; some recordings asked for other properties only.
NAMED_BY = {"companies": "name", "contacts": "email", "deals": "dealname"}


class RecordedStream(HubSpotStream):
    """Turns recorded objects into records without asking anybody; associations are other calls."""

    def __init__(self, name: str) -> None:
        portal: Any = SimpleNamespace(currency="USD", owner_emails={}, custom_properties=lambda name: [])
        super().__init__(portal, crm_object=OBJECTS[name])

    def _links(self, to_name: str, found: list[dict[str, Any]]) -> dict[str, str]:
        return {}


def objects_of(recording: Recording) -> list[dict[str, Any]]:
    if not isinstance(recording.response, dict):
        return []
    found: list[dict[str, Any]] = recording.response.get("results", [recording.response])
    return found


def test_every_recorded_object_is_parsed_and_mapped(evidence, figures):
    recorded = matching(load(evidence, "hubspot"), WITH_A_STREAM)
    parsed = mapped = 0
    for recording, name in recorded:
        for item, record in zip(
            objects_of(recording), RecordedStream(name)._records(objects_of(recording)), strict=True
        ):
            parsed += 1
            assert record.external_id == item["id"], recording.name
            assert record.modified_at is not None, recording.name
            if item["properties"].get(NAMED_BY[name]):
                assert_mapped(name, item["properties"], map_source(name, record.data), recording.name)
                mapped += 1
    figures.append(f"hubspot: {len(recorded)} recorded exchanges parsed ({parsed} objects), {mapped} objects mapped")
    assert (len(recorded), parsed, mapped) == (25, 281, 278)


def assert_mapped(name: str, properties: dict[str, Any], fields: dict[str, Any], where: str) -> None:
    """Names and amounts exactly as HubSpot gave them."""
    if name == "companies":
        assert fields["name"] == properties["name"].strip(), where
    if name == "contacts":
        assert fields["email"] == properties["email"].lower(), where
    if name == "deals":
        assert fields["name"] == properties["dealname"].strip(), where
        if properties.get("amount"):
            assert fields["amount"] == {"amount": round(float(properties["amount"]) * 100), "currency": "USD"}, where
