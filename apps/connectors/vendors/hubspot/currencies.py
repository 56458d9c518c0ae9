"""In which currency a deal's amounts are: its own properties of ours hold plain numbers, read in the deal's currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from apps.connectors.sdk.errors import ConnectorError, RecordRejected
from apps.connectors.sdk.types import WriteRequest

if TYPE_CHECKING:
    from apps.connectors.vendors.hubspot.connector import HubSpotConnector

DEAL_CURRENCY = "deal_currency_code"
# Not a property: what the payment amounts of a payload are in.
PAYMENT_CURRENCY = "payment_currency"


class DealCurrencies:
    """`writable`: the portal shows the property that holds a deal's own currency; else all deals are in the portal's."""

    def __init__(self, connector: HubSpotConnector, *, writable: bool) -> None:
        self.connector = connector
        self.writable = writable

    def refusals(self, requests: list[WriteRequest]) -> dict[str, ConnectorError]:
        """Dollars would be taken for euros without a word: request key → why it must not be sent."""
        held = self._held([request.external_id for request in requests if request.external_id and self._asks(request)])
        return {request.key: error for request in requests if (error := self._refusal(request, held))}

    def sendable(self, request: WriteRequest) -> WriteRequest:
        """Without what is only compared, and without a property that the portal does not have."""
        left_out = (PAYMENT_CURRENCY,) if self.writable else (PAYMENT_CURRENCY, DEAL_CURRENCY)
        payload = {name: value for name, value in request.payload.items() if name not in left_out}
        return msgspec.structs.replace(request, payload=payload)

    def _asks(self, request: WriteRequest) -> bool:
        """Whether only the deal itself can tell what its payments must be in."""
        return self.writable and bool(request.payload.get(PAYMENT_CURRENCY)) and not request.payload.get(DEAL_CURRENCY)

    def _refusal(self, request: WriteRequest, held: dict[str, str]) -> ConnectorError | None:
        own, paid_in = request.payload.get(DEAL_CURRENCY), request.payload.get(PAYMENT_CURRENCY)
        if not own and not paid_in:
            return None
        kept = own if self.writable and own else held.get(str(request.external_id)) or self.connector.currency
        if paid_in and paid_in != kept:
            return RecordRejected(f"this deal is in {kept}, the payment in {paid_in}", code="currency")
        if own and own != kept:
            return RecordRejected(f"this portal keeps {kept}, the deal is in {own}", code="currency")
        return None

    def _held(self, external_ids: list[str]) -> dict[str, str]:
        """Deal id → its own currency, of those that name one."""
        if not external_ids:
            return {}
        body = {
            "inputs": [{"id": external_id} for external_id in external_ids],
            "properties": [DEAL_CURRENCY],
            "propertiesWithHistory": [],
        }
        found = self.connector.client.post("/crm/v3/objects/deals/batch/read", json=body)["results"]
        return {entry["id"]: code for entry in found if (code := entry["properties"].get(DEAL_CURRENCY))}
