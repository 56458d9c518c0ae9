"""Writing one by one: create or PATCH, then read back what BottleCRM really took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.bottlecrm.objects import SYNC_REF, BottleObject
from apps.connectors.vendors.bottlecrm.streams import BottleStream

if TYPE_CHECKING:
    from apps.connectors.vendors.bottlecrm.connector import BottleConnector

CUSTOM = "cf_"


class BottleSink(Removing):
    """Payload keys are BottleCRM's; `cf_<key>` is a custom field, `stage_kind` the kind of stage a deal goes to;
    `payment_currency` is only compared.

    Null leaves a value as it is. Custom values are merged by BottleCRM: those not sent are kept.
    """

    def __init__(self, connector: BottleConnector, *, bottle_object: BottleObject) -> None:
        self.connector = connector
        self.object = bottle_object
        self.stream = BottleStream(connector, bottle_object=bottle_object)
        self._has_definitions = False

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        self._require_definitions()
        return [self._write_one(request) for request in requests]

    def resolve(self, key: str) -> SourceRecord | None:
        self._require_definitions()
        return self.stream.find_by_mark(key)

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def remove(self, external_id: str) -> None:
        self.connector.client.delete(f"{self.stream.path}{external_id}/", expects_json=False)

    def _write_one(self, request: WriteRequest) -> WriteResult:
        try:
            body = self._body(request)
            if request.external_id is None:
                answer = self.connector.client.post(self.stream.path, json=body)
                external_id = str(answer["id"])
            else:
                external_id = request.external_id
                self.connector.client.patch(f"{self.stream.path}{external_id}/", json=body)
            return WriteResult(key=request.key, record=self._read_back(external_id, body))
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)

    def _body(self, request: WriteRequest) -> JsonDict:
        payload = {name: value for name, value in request.payload.items() if value is not None}
        custom = {name.removeprefix(CUSTOM): payload.pop(name) for name in list(payload) if name.startswith(CUSTOM)}
        if request.external_id is None:
            custom[SYNC_REF] = request.key
        if custom:
            payload["custom_fields"] = custom
        kind, contact = payload.pop("stage_kind", None), payload.pop("contact", None)
        paid_in = payload.pop("payment_currency", None)
        if kind or contact or paid_in:
            deal = self.stream.get(request.external_id) if request.external_id else None
            _require_currency(paid_in, payload.get("currency") or (deal.data["currency"] if deal else None))
            payload |= {"stage": self._stage(kind, deal)} if kind else {}
            payload |= {"contacts": _with_contact(contact, deal)} if contact else {}
        if payload.get("website"):
            payload["website"] = _address(payload["website"])
        return payload

    def _stage(self, kind: str, deal: SourceRecord | None) -> str:
        """The code of the first stage of this kind in the deal's pipeline (new deals go to the default one)."""
        if deal is not None and deal.data["stage_kind"] == kind:
            return str(deal.data["stage"])
        wanted = deal.data["pipeline"] if deal else None
        for pipeline in self.connector.pipelines:
            if pipeline["id"] == wanted or (wanted is None and pipeline["is_default"]):
                codes = [stage["code"] for stage in pipeline["stages"] if stage["kind"] == kind]
                if codes:
                    return str(codes[0])
        raise ConfigurationError(f"BottleCRM has no {kind} stage in the deal's pipeline.", code="no_stage")

    def _read_back(self, external_id: str, body: JsonDict) -> SourceRecord:
        """BottleCRM says "successfully" of values it dropped."""
        record = self.stream.get(external_id)
        if record is None:
            raise RecordRejected("BottleCRM does not show what it just took", code="not_found", status=404)
        held = record.data["custom_fields"]
        lost = [key for key, value in body.get("custom_fields", {}).items() if not _same(held.get(key), value)]
        if lost:
            raise RecordRejected(f"BottleCRM did not take {', '.join(lost)}", code="ignored")
        return record

    def _require_definitions(self) -> None:
        if not self._has_definitions:
            self.connector.require_definitions(self.object)
            self._has_definitions = True


def _same(held: Any, sent: Any) -> bool:
    return held == sent or (sent == "" and held is None)


def _require_currency(paid_in: str | None, kept: str | None) -> None:
    """Custom fields hold plain numbers: dollars would be taken for euros without a word."""
    if paid_in and kept and paid_in != kept:
        raise RecordRejected(f"this deal is in {kept}, the payment in {paid_in}", code="currency")


def _with_contact(contact: str, deal: SourceRecord | None) -> list[str]:
    """The deal's contacts with this one: what is sent replaces what was there."""
    held = [person["id"] for person in deal.data["contacts"]] if deal else []
    return held if contact in held else [*held, contact]


def _address(website: str) -> str:
    return website if "://" in website else f"https://{website}"
