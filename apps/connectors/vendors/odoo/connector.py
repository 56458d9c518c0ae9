"""One authorized conversation with one Odoo database."""

from __future__ import annotations

from functools import cached_property, partial

from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.fields import Choice, FieldDescription
from apps.connectors.sdk.types import CheckResult, JsonDict
from apps.connectors.vendors.odoo.api import OdooApi
from apps.connectors.vendors.odoo.documents import InvoiceSink, PaymentSink, QuoteSink
from apps.connectors.vendors.odoo.manifest import MANIFEST
from apps.connectors.vendors.odoo.objects import OBJECTS
from apps.connectors.vendors.odoo.sinks import EmployeeSink, ExpenseSink, OdooSink, OpportunitySink
from apps.connectors.vendors.odoo.streams import OdooStream

SINKS: dict[str, type[OdooSink]] = {
    "invoices": InvoiceSink,
    "quotes": QuoteSink,
    "payments": PaymentSink,
    "opportunities": OpportunitySink,
    "expenses": ExpenseSink,
    "employees": EmployeeSink,
}


_KINDS = {
    "boolean": "boolean", "integer": "integer", "float": "number", "monetary": "number", "date": "date",
    "datetime": "datetime", "one2many": "list", "many2many": "list", "many2one": "object",
}  # fmt: skip


def _field(name: str, about: JsonDict, *, is_read: bool) -> FieldDescription:
    is_plain = about["type"] not in ("one2many", "many2many", "many2one", "binary")
    choices = [pair for pair in about.get("selection") or [] if isinstance(pair, list | tuple)]
    return FieldDescription(
        path=name if is_read else "",
        label=about.get("string") or name,
        kind=_KINDS.get(about["type"], "text"),
        # Odoo fills most required fields with defaults; only a name has none.
        required=bool(about.get("required")) and name == "name",
        choices=tuple(Choice(str(value), str(label)) for value, label in choices),
        target=name if is_plain and not about.get("readonly") else "",
    )


class OdooConnector(Connector):
    manifest = MANIFEST
    stream_types = {name: partial(OdooStream, name=name) for name in OBJECTS}
    sink_types = {name: partial(SINKS.get(name, OdooSink), name=name) for name in OBJECTS}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.base_url = str(context.settings["base_url"]).rstrip("/")
        self._emails: dict[int, str | None] = {}

    @cached_property
    def api(self) -> OdooApi:
        return OdooApi(self.context)

    def close(self) -> None:
        if "api" in self.__dict__:
            self.api.close()

    def check(self) -> CheckResult:
        company = self.api.company
        return CheckResult(account_id=self.api.account_id, account_name=company["name"])

    def describe(self, name: str) -> list[FieldDescription]:
        """What is read of the object, and what may be written in the plain text that Odoo's import takes."""
        found = self.api.call(
            OBJECTS[name].model, "fields_get", attributes=["type", "string", "required", "readonly", "selection"]
        )
        read = {*OBJECTS[name].fields, *self.api.custom(OBJECTS[name].model)}
        told = [_field(field, about, is_read=field in read) for field, about in found.items()]
        return [field for field in told if field.path or field.target]

    @cached_property
    def won_stages(self) -> set[int]:
        return {row["id"] for row in self.api.search("crm.stage", [["is_won", "=", True]], fields=("is_won",))}

    @cached_property
    def product(self) -> str:
        """Database id of the product that positions are booked on; "" when none is configured."""
        code = str(self.context.settings.get("product") or "")
        domain = [["default_code", "=", code]]
        return str(self.api.lookup("product.product", domain, what=f"product {code}")) if code else ""

    @cached_property
    def expense_product(self) -> str:
        """Database id of the category that new expenses get; "" when none is configured."""
        code = str(self.context.settings.get("expense_product") or "")
        domain = [["default_code", "=", code]]
        return str(self.api.lookup("product.product", domain, what=f"product {code}")) if code else ""

    @cached_property
    def analytic_field(self) -> str:
        """Where a project keeps its analytic account."""
        return "account_id" if "account_id" in self.api.types("project.project") else "analytic_account_id"

    @cached_property
    def has_tax_id(self) -> bool:
        """The taxes of an order's line are `tax_id` up to 18 and `tax_ids` from 19 on."""
        return "tax_id" in self.api.types("sale.order.line")

    def emails(self, users: list[int]) -> dict[int, str | None]:
        """Addresses of Odoo's users; each is asked for once."""
        unknown = sorted({user for user in users if user not in self._emails})
        if unknown:
            rows = self.api.search("res.users", [["id", "in", unknown]], fields=("email", "login"))
            self._emails |= {row["id"]: row["email"] or row["login"] for row in rows}
        return self._emails
