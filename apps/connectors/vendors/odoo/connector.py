"""One authorized conversation with one Odoo database."""

from __future__ import annotations

from functools import cached_property, partial

from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.types import CheckResult
from apps.connectors.vendors.odoo.api import OdooApi
from apps.connectors.vendors.odoo.documents import InvoiceSink, PaymentSink, QuoteSink
from apps.connectors.vendors.odoo.manifest import MANIFEST
from apps.connectors.vendors.odoo.objects import OBJECTS
from apps.connectors.vendors.odoo.sinks import ExpenseSink, OdooSink, OpportunitySink
from apps.connectors.vendors.odoo.streams import OdooStream

SINKS: dict[str, type[OdooSink]] = {
    "invoices": InvoiceSink,
    "quotes": QuoteSink,
    "payments": PaymentSink,
    "opportunities": OpportunitySink,
    "expenses": ExpenseSink,
}


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
