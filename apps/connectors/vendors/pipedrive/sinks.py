"""Writing one by one (version 2 has no batches): the answer is the record as Pipedrive holds it, and is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.pipedrive.objects import SYNC_REF, PipedriveObject
from apps.connectors.vendors.pipedrive.streams import PipedriveStream

if TYPE_CHECKING:
    from apps.connectors.vendors.pipedrive.connector import PipedriveConnector

CUSTOM = "cf_"


class PipedriveSink(Removing):
    """Payload keys are Pipedrive's; `cf_<key>` is a custom field of ours, `email` and `phone` the primary ones;
    `payment_currency` is only compared.

    Null leaves a value as it is, "" clears it.
    """

    def __init__(self, connector: PipedriveConnector, *, pipedrive_object: PipedriveObject) -> None:
        self.connector = connector
        self.object = pipedrive_object
        self.stream = PipedriveStream(connector, pipedrive_object=pipedrive_object)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        codes = self.connector.require_fields(self.object)
        return [self._write_one(request, codes) for request in requests]

    def resolve(self, key: str) -> SourceRecord | None:
        self.connector.require_fields(self.object)
        return self.stream.find_by_mark(key)

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def remove(self, external_id: str) -> None:
        """Marked as deleted, and gone for good after thirty days."""
        self.connector.client.delete(f"{self.stream.path}/{external_id}")

    def _write_one(self, request: WriteRequest, codes: dict[str, str]) -> WriteResult:
        try:
            body = self._body(request, codes)
            if request.external_id is None:
                made = self.connector.client.post(self.stream.path, json=body)
            else:
                made = self.connector.client.patch(f"{self.stream.path}/{request.external_id}", json=body)
            return WriteResult(key=request.key, record=self._read_back(str(made["data"]["id"]), body))
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)

    def _body(self, request: WriteRequest, codes: dict[str, str]) -> JsonDict:
        payload = {name: value for name, value in request.payload.items() if value is not None}
        self._require_currency(payload.pop("payment_currency", None), payload.get("currency"), request.external_id)
        names = [name for name in payload if name.startswith(CUSTOM)]
        custom = {codes[name.removeprefix(CUSTOM)]: payload.pop(name) for name in names}
        if request.external_id is None:
            custom[codes[SYNC_REF]] = request.key
        body = {name: None if value == "" else value for name, value in payload.items()}
        for name in ("email", "phone"):
            if name in body:
                body[f"{name}s"] = self._with_primary(name, body.pop(name), request.external_id)
        if custom:
            body["custom_fields"] = {code: None if value == "" else value for code, value in custom.items()}
        return body

    def _require_currency(self, paid_in: str | None, kept: str | None, external_id: str | None) -> None:
        """Our fields hold plain numbers: dollars would be taken for euros without a word."""
        if paid_in and not kept and external_id:
            held = self.stream.get(external_id)
            kept = held.data["currency"] if held else None
        if paid_in and kept and paid_in != kept:
            raise RecordRejected(f"this deal is in {kept}, the payment in {paid_in}", code="currency")

    def _with_primary(self, name: str, value: str | None, external_id: str | None) -> list[JsonDict]:
        """The person's list with this one as the primary: what is sent replaces the whole list."""
        held = self.stream.get(external_id) if external_id else None
        others = [entry for entry in (held.data.get(f"{name}s") or [] if held else []) if not entry.get("primary")]
        mine = [{"value": value, "primary": True, "label": "work"}] if value else []
        return mine + [{**entry, "primary": False} for entry in others if entry["value"] != value]

    def _read_back(self, external_id: str, body: JsonDict) -> SourceRecord:
        record = self.stream.get(external_id)
        if record is None:
            raise RecordRejected("Pipedrive does not show what it just took", code="not_found", status=404)
        held = record.data.get("custom_fields") or {}
        if any(held.get(code) != value for code, value in body.get("custom_fields", {}).items()):
            raise RecordRejected("Pipedrive did not take all custom fields", code="ignored")
        return record
