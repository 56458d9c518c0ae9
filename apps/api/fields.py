"""Ids with a prefix, and money as an object."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.ids import MalformedId, decode_id, encode_id

PREFIXES = {
    "customer": "cus",
    "connection": "con",
    "connect_link": "cnl",
    "custom_connector": "cco",
    "file": "fil",
    "integration": "itg",
    "template_version": "tpv",
    "rollout": "rol",
    "mapping_publication": "mpb",
    "flow": "flw",
    "run": "run",
    "record": "rec",
    "approval": "apr",
    "question": "mqu",
    "merge": "mrg",
    "value_question": "vqu",
    "deletion_review": "drv",
    "field_policy": "fpo",
    "merge_plan": "mpl",
    "failure": "fai",
    "failure_retry": "frt",
    "log_export": "exp",
    "sla_report": "slr",
    "invoice": "inv",
    "exception": "bex",
    "legacy_interface": "lif",
    "migration_wave": "wav",
    "checklist_point": "chp",
    "parallel_run": "prn",
    "webhook_endpoint": "wep",
    "webhook_delivery": "wdl",
}


class PublicIdField(serializers.Field[Any, Any, Any, Any]):
    """`cus_…` outside, UUID inside."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        kwargs.setdefault("help_text", f"Id of the {kind.replace('_', ' ')}: `{PREFIXES[kind]}_` and 32 hex digits.")
        super().__init__(**kwargs)

    def to_representation(self, value: UUID) -> str:
        return encode_id(PREFIXES[self.kind], value)

    def to_internal_value(self, data: Any) -> UUID:
        try:
            return decode_id(PREFIXES[self.kind], str(data))
        except MalformedId as error:
            raise serializers.ValidationError(str(error)) from error


extend_schema_field({"type": "string", "pattern": "^[a-z]{3}_[0-9a-f]{32}$"})(PublicIdField)


class MoneySerializer(serializers.Serializer[Any]):
    """Minor units and ISO 4217 code."""

    amount = serializers.IntegerField(help_text="Minor units: 1050 is 10.50 EUR.")
    currency = serializers.CharField(min_length=3, max_length=3)


class PublicIdConverter:
    """Base of the URL converters: a malformed id is a 404, like any id that is not there."""

    kind = ""
    regex = "[a-z]{3}_[0-9a-f]{32}"

    def to_python(self, value: str) -> UUID:
        return decode_id(PREFIXES[self.kind], value)

    def to_url(self, value: UUID) -> str:
        return encode_id(PREFIXES[self.kind], value)


def converter_for(kind: str) -> type[PublicIdConverter]:
    return type(f"{kind.title()}IdConverter", (PublicIdConverter,), {"kind": kind})
