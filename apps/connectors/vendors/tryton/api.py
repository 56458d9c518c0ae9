"""The few verbs of Tryton's REST API that the connector needs."""

from __future__ import annotations

import base64
from functools import cached_property
from typing import Any

import orjson

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.vendors.tryton.wire import plain

JsonDict = dict[str, Any]
Domain = list[Any]


class TrytonApi:
    """Models are reached through their RPC actions (`search_read`, `create`), which take lists and need no long URLs."""

    def __init__(self, context: ConnectionContext) -> None:
        self.context = context
        self.settings = context.settings
        self._client = VendorClient(
            context,
            str(context.settings["base_url"]),
            BearerAuth(context.credentials["api_key"]),
            ErrorTable(describe=lambda data: ErrorText(data["message"])),
        )

    @cached_property
    def company(self) -> JsonDict:
        """The company we work in: the configured one, or the only one. Raises ConfigurationError."""
        wanted = str(self.settings.get("company") or "")
        known = self._search("company.company", [], fields=["party.name", "currency.code"], headers={})
        found = [row for row in known if wanted in ("", str(row["id"]))]
        if len(found) != 1:
            names = ", ".join(f"{row['id']} ({row['party']['name']})" for row in known) or "none"
            raise ConfigurationError(f"choose the company to work in; Tryton has {names}", code="company")
        return found[0]

    @cached_property
    def _headers(self) -> dict[str, str]:
        # Values kept per company (accounts, for one) read as null without it. Warnings ("the due date has passed") are
        # questions to a person at the keyboard; what arrives here was decided where it comes from.
        context = {"company": self.company["id"], "_skip_warnings": True}
        return {"x-tryton-context": base64.urlsafe_b64encode(orjson.dumps(context)).decode()}

    def search(
        self,
        model: str,
        domain: Domain,
        *,
        fields: list[str],
        order: list[list[str]] | None = None,
        limit: int | None = None,
    ) -> list[JsonDict]:
        return self._search(model, domain, fields=fields, order=order, limit=limit, headers=self._headers)

    def _search(
        self,
        model: str,
        domain: Domain,
        *,
        fields: list[str],
        headers: dict[str, str],
        order: list[list[str]] | None = None,
        limit: int | None = None,
    ) -> list[JsonDict]:
        body: JsonDict = {"domain": domain, "fields_names": fields}
        if order is not None:
            body["order"] = order
        if limit is not None:
            body["limit"] = limit
        rows: list[JsonDict] = plain(self._client.post(f"/rest/model/{model}/search_read", json=body, headers=headers))
        return rows

    def create(self, model: str, values: list[JsonDict]) -> list[int]:
        """Ids in order. All or none: Tryton carries out the whole list in one transaction."""
        ids: list[int] = self._client.post(f"/rest/model/{model}/create", json={"vlist": values}, headers=self._headers)
        return ids

    def write(self, model: str, record_id: str, values: JsonDict) -> None:
        self._client.put(f"/rest/model/{model}/{record_id}", json=values, headers=self._headers)

    def press(self, model: str, record_id: str, button: str) -> None:
        self._client.post(f"/rest/model/{model}/{record_id}/{button}", json={}, headers=self._headers)

    def delete(self, model: str, record_id: str) -> None:
        self._client.delete(f"/rest/model/{model}/{record_id}", headers=self._headers, expects_json=False)
