"""One authorized conversation with one Salesforce org."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import (
    ConfigurationError,
    ConnectorError,
    FatalError,
    RateLimited,
    TransientError,
)
from apps.connectors.sdk.fields import Choice, FieldDescription
from apps.connectors.sdk.numbers import whole_number
from apps.connectors.sdk.types import CheckResult, JsonDict
from apps.connectors.vendors.salesforce.manifest import BASE_URL, MANIFEST
from apps.connectors.vendors.salesforce.objects import CURRENCY, OBJECTS, SYNC_REF, SalesforceObject
from apps.connectors.vendors.salesforce.sinks import SalesforceSink
from apps.connectors.vendors.salesforce.streams import SalesforceStream

API = "/services/data/v60.0"
CODES: dict[str, type[ConnectorError]] = {
    "REQUEST_LIMIT_EXCEEDED": RateLimited,
    "UNABLE_TO_LOCK_ROW": TransientError,
    "QUERY_TIMEOUT": TransientError,
    # A field or object that the user cannot see does not exist for Salesforce: a person must add or grant it.
    "INVALID_FIELD": ConfigurationError,
    "INVALID_TYPE": ConfigurationError,
    "MALFORMED_QUERY": FatalError,
}
USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
DAY_USED_UP_SECONDS = 900.0
TOO_MANY_AT_ONCE_SECONDS = 30.0


def describe_error(data: Any) -> ErrorText:
    """An array of `{message, errorCode, fields}`; the identity service answers `{error, error_description}`."""
    if isinstance(data, dict):
        return ErrorText(data.get("error_description") or data["error"], data["error"])
    return ErrorText("; ".join(entry["message"] for entry in data), data[0]["errorCode"])


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    if response.status < 400 or not isinstance(response.data, list) or not response.data:
        return None
    return CODES.get(response.data[0].get("errorCode", ""))


def announced_delay(headers: Mapping[str, str]) -> float | None:
    """Salesforce says how much of the rolling day is used, not when to come back."""
    found = USAGE.search(headers.get("sforce-limit-info", ""))
    used, of = (whole_number(part) for part in found.groups()) if found else (None, None)
    used_up = used is not None and of is not None and used >= of
    return DAY_USED_UP_SECONDS if used_up else TOO_MANY_AT_ONCE_SECONDS


_KINDS = {
    "boolean": "boolean", "int": "integer", "double": "number", "currency": "number", "percent": "number",
    "date": "date", "datetime": "datetime",
}  # fmt: skip


def _field(entry: JsonDict, *, is_read: bool) -> FieldDescription:
    is_open = entry["createable"] or entry["updateable"]
    choices = [option for option in entry.get("picklistValues") or [] if option.get("active", True)]
    return FieldDescription(
        path=entry["name"] if is_read else "",
        label=entry.get("label") or entry["name"],
        kind=_KINDS.get(entry["type"], "text"),
        required=bool(is_open and not entry.get("nillable", True) and not entry.get("defaultedOnCreate")),
        choices=tuple(Choice(option["value"], option.get("label") or option["value"]) for option in choices),
        target=entry["name"] if is_open else "",
    )


class SalesforceConnector(Connector):
    manifest = MANIFEST
    stream_types = {name: partial(SalesforceStream, salesforce_object=found) for name, found in OBJECTS.items()}
    sink_types = {spec.name: partial(SalesforceSink, salesforce_object=OBJECTS[spec.name]) for spec in MANIFEST.sinks}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.base_url = str(context.settings.get("base_url") or BASE_URL).rstrip("/")
        errors = ErrorTable(describe=describe_error, classify=classify, delay=announced_delay)
        self.client = VendorClient(context, self.base_url, self._auth, errors)
        self._descriptions: dict[str, JsonDict | None] = {}

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """Names the org, and every custom field that an administrator still has to add or make visible."""
        (org,) = self.query("SELECT Id, Name FROM Organization")
        missing = [problem for found in OBJECTS.values() for problem in self._missing(found)]
        if missing:
            raise ConfigurationError(f"Salesforce lacks {'; '.join(missing)}.", code="missing_fields")
        if not self.has_currencies and not self.context.settings.get("currency"):
            raise ConfigurationError("Give the currency of this Salesforce org.", code="no_currency")
        return CheckResult(account_id=org["Id"], account_name=org["Name"])

    def query(self, soql: str, *, deleted: bool = False) -> list[JsonDict]:
        """All rows. Salesforce cuts long answers into batches of its own choosing (2,000 rows, fewer of wide ones)."""
        return list(self._rows(self.client.get(f"{API}/{'queryAll' if deleted else 'query'}", params={"q": soql})))

    def fields(self, found: SalesforceObject) -> list[str]:
        """What to select: our fields as far as the org has them, and all of its custom ones."""
        known = self.known_fields(found)
        wanted = ["Id", "IsDeleted", "CreatedDate", "SystemModstamp", *found.fields, CURRENCY]
        custom = [name for name in known if name.endswith("__c")]
        present = [name for name in dict.fromkeys([*wanted, *custom]) if name in known]
        return [*present, *found.paths, *(f"({soql})" for soql in found.children.values())]

    def known_fields(self, found: SalesforceObject) -> dict[str, JsonDict]:
        """Field descriptions by name. Raises ConfigurationError where the org has no such object."""
        description = self._describe(found)
        if description is None:
            raise ConfigurationError(f"This Salesforce org shows no {found.sobject} object.", code="no_object")
        return {field["name"]: field for field in description["fields"]}

    def describe(self, name: str) -> list[FieldDescription]:
        """What is read of the object, and what may be written."""
        found = OBJECTS[name]
        read = set(self.fields(found))
        told = [_field(entry, is_read=entry["name"] in read) for entry in self.known_fields(found).values()]
        return [field for field in told if field.path or field.target]

    @cached_property
    def has_currencies(self) -> bool:
        return CURRENCY in self.known_fields(OBJECTS["opportunities"])

    @property
    def currency(self) -> str:
        return str(self.context.settings.get("currency") or "").upper()

    def _describe(self, found: SalesforceObject) -> JsonDict | None:
        if found.sobject not in self._descriptions:
            self._descriptions[found.sobject] = self.client.find(f"{API}/sobjects/{found.sobject}/describe")
        return self._descriptions[found.sobject]

    def _missing(self, found: SalesforceObject) -> list[str]:
        if found.optional and self._describe(found) is None:
            return []
        known = self.known_fields(found)
        missing = [f"{found.sobject}.{name}" for name in found.custom if name not in known]
        mark = known.get(SYNC_REF)
        if SYNC_REF in found.custom and mark and not (mark["externalId"] and mark["unique"]):
            missing.append(f"the options External ID and Unique of {found.sobject}.{SYNC_REF}")
        return missing

    def _rows(self, answer: JsonDict) -> Iterator[JsonDict]:
        yield from (self._row(row) for row in answer["records"])
        while not answer["done"]:
            answer = self.client.get(answer["nextRecordsUrl"])
            yield from (self._row(row) for row in answer["records"])

    def _row(self, row: JsonDict) -> JsonDict:
        """The row with its subqueries as plain lists."""
        plain: JsonDict = {}
        for name, value in row.items():
            if isinstance(value, dict) and "records" in value:
                plain[name] = list(self._rows(value))
            elif name != "attributes":
                plain[name] = value
        return plain

    def _auth(self) -> BearerAuth:
        token = self.context.credentials.get("access_token", "")
        if not token:
            raise ConfigurationError("The connection is not authorized yet.", code="not_authorized")
        return BearerAuth(token)
