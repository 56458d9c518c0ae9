"""The few verbs of Odoo's models that the connector needs, and its values made plain."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, RecordRejected
from apps.connectors.vendors.odoo.transports import Transport, host_of, transport_of

JsonDict = dict[str, Any]
Domain = list[Any]
# External ids we hand out live in a module of this name; no real module is called so.
MODULE = "sync_ref"
NOT_PLAIN = frozenset({"one2many", "many2many", "binary"})
MOST_CUSTOM = 150


class OdooApi:
    """Fields are asked for by name and come back plain: null for nothing, {"id", "name"} for a reference, UTC moments."""

    def __init__(self, context: ConnectionContext) -> None:
        self.context = context
        self.settings = context.settings
        self._transport: Transport = transport_of(context)
        self._types: dict[str, dict[str, str]] = {}
        self.known: dict[str, Any] = {}

    def close(self) -> None:
        self._transport.close()

    @cached_property
    def company(self) -> JsonDict:
        """The company we work in: the configured one, or the user's own. Raises ConfigurationError."""
        wanted = str(self.settings.get("company") or "")
        if not wanted:
            user = self._plain_read("res.users", [["id", "=", self._transport.user_id()]], ["company_id"])
            wanted = str(user[0]["company_id"][0])
        found = self._plain_read("res.company", [["id", "=", int(wanted)]], ["name"]) if wanted.isdecimal() else []
        if not found:
            raise ConfigurationError(f"Odoo shows no company {wanted}", code="company")
        return found[0]

    @property
    def account_id(self) -> str:
        return f"{host_of(self.context)}/{self.settings.get('database') or ''}#{self.company['id']}"

    @cached_property
    def _context(self) -> JsonDict:
        # Without active_test archived records are invisible, even to a search by id.
        return {"active_test": False, "allowed_company_ids": [self.company["id"]], "lang": "en_US"}

    def call(
        self,
        model: str,
        method: str,
        *,
        ids: list[int] | None = None,
        context: JsonDict | None = None,
        **arguments: Any,
    ) -> Any:
        merged = {**self._context, **(context or {})}
        return self._transport.call(model, method, ids=ids, context=merged, arguments=arguments)

    def types(self, model: str) -> dict[str, str]:
        """Which fields this Odoo has, and their types: they differ by version and by the apps installed."""
        if model not in self._types:
            try:
                found = self.call(model, "fields_get", attributes=["type"])
            except ConnectorError as error:
                if not is_missing_model(error):
                    raise
                raise ConfigurationError(f"this Odoo has no {model}: its app is not installed", code="app") from error
            self._types[model] = {name: about["type"] for name, about in found.items()}
        return self._types[model]

    def custom(self, model: str) -> list[str]:
        """Fields that this Odoo's own people added (x_…): mappings may use them all but lists and files."""
        kinds = self.types(model)
        return [name for name, kind in kinds.items() if name.startswith("x_") and kind not in NOT_PLAIN][:MOST_CUSTOM]

    def search(
        self, model: str, domain: Domain, *, fields: Iterable[str], order: str = "id", limit: int | None = None
    ) -> list[JsonDict]:
        types = self.types(model)
        asked = [name for name in dict.fromkeys(("write_date", *fields)) if name in types]
        arguments: JsonDict = {"domain": self._ours(types, domain), "fields": asked, "order": order}
        if limit is not None:
            arguments["limit"] = limit
        rows = self.call(model, "search_read", **arguments)
        return [{name: plain(value, types.get(name, "integer")) for name, value in row.items()} for row in rows]

    def _ours(self, types: dict[str, str], domain: Domain) -> Domain:
        """Only what belongs to our company, or to none in particular."""
        return [*domain, ["company_id", "in", [False, self.company["id"]]]] if "company_id" in types else domain

    def _plain_read(self, model: str, domain: Domain, fields: list[str]) -> list[JsonDict]:
        found: list[JsonDict] = self._transport.call(
            model,
            "search_read",
            ids=None,
            context={"active_test": False},
            arguments={"domain": domain, "fields": fields},
        )
        return found

    def load(self, model: str, columns: list[str], rows: list[list[str]]) -> JsonDict:
        """Odoo's import: creates and updates in one transaction, and writes external ids with them. All or none."""
        answer: JsonDict = self.call(model, "load", fields=columns, data=rows, context={"module": MODULE})
        return answer

    def ids_of(self, model: str, names: list[str]) -> dict[str, int]:
        """Database ids of our external ids; those that never were or whose record was deleted are absent."""
        domain: Domain = [["module", "=", MODULE], ["model", "=", model], ["name", "in", names]]
        rows = self.call("ir.model.data", "search_read", domain=domain, fields=["name", "res_id"])
        return {row["name"]: row["res_id"] for row in rows}

    def ids_from(self, model: str, start: str) -> dict[str, int]:
        """Like `ids_of`, for external ids that begin so. The wildcards of `=like` are judged here once more."""
        domain: Domain = [["module", "=", MODULE], ["model", "=", model], ["name", "=like", f"{start}%"]]
        rows = self.call("ir.model.data", "search_read", domain=domain, fields=["name", "res_id"])
        return {row["name"]: row["res_id"] for row in rows if row["name"].startswith(start)}

    def lookup(self, model: str, domain: Domain, *, what: str, field: str = "id") -> Any:
        """The first match, asked once per conversation. Raises RecordRejected when there is none."""
        mark = f"{model} {domain}"
        if mark not in self.known:
            rows = self.search(model, domain, fields=[field], limit=1)
            if not rows:
                raise RecordRejected(f"Odoo has no {what}", code="missing")
            self.known[mark] = rows[0][field]
        return self.known[mark]


def is_missing_model(error: ConnectorError) -> bool:
    """17 says "Object hr.expense doesn't exist", 19 answers 404."""
    return error.status == 404 or "doesn't exist" in error.message


def plain(value: Any, kind: str) -> Any:
    """Odoo says false for nothing, in every type but boolean, and leaves out that its moments are UTC."""
    if kind == "boolean":
        return value
    if value is False or value is None:
        return None
    if kind == "datetime":
        return f"{value.replace(' ', 'T')}+00:00"
    if kind == "many2one":
        return {"id": value[0], "name": value[1]}
    return value
