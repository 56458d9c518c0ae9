"""Offers and contracts of Tryton's modules `sale` and `sale_subscription`, where they are activated.

Field names are those of the modules themselves (8.2). A subscription is what Tryton calls a contract that bills by interval;
its services have prices of their own over time, so it has no one amount.
"""

from __future__ import annotations

from typing import Any, ClassVar

from apps.connectors.sdk.errors import ConfigurationError, TransientError
from apps.connectors.sdk.types import JsonDict, SourceRecord
from apps.connectors.vendors.tryton.api import Domain
from apps.connectors.vendors.tryton.streams import TrytonStream, record_of


class ModuleStream(TrytonStream):
    """Objects of a module that a Tryton need not have. Of an unknown model the server only says that it broke."""

    module: ClassVar[str]

    def _rows(self, domain: Domain, **options: Any) -> list[JsonDict]:
        try:
            return super()._rows(domain, **options)
        except TransientError as error:
            if error.status != 500 or self._is_there():
                raise
            message = f"Tryton's module {self.module} is not activated: an administrator does that under Modules."
            raise ConfigurationError(message, code="module") from error

    def _is_there(self) -> bool:
        return bool(self.api.search("ir.model", [["name", "=", self.model]], fields=["name"], limit=1))


class SaleStream(ModuleStream):
    """A sale is an offer until it is confirmed."""

    module = "sale"
    model = "sale.sale"
    fields = (
        "number", "reference", "description", "state", "party", "quotation_date", "quotation_expire", "sale_date",
        "currency.code", "untaxed_amount", "tax_amount", "total_amount",
        "lines.type", "lines.description", "lines.summary", "lines.quantity", "lines.unit_price", "lines.amount",
    )  # fmt: skip

    def records(self, rows: list[JsonDict]) -> list[SourceRecord]:
        return [record_of({**row, "lines": [line for line in row["lines"] if line["type"] == "line"]}) for row in rows]


class SubscriptionStream(ModuleStream):
    module = "sale_subscription"
    model = "sale.subscription"
    fields = (
        "number", "reference", "description", "state", "party", "currency.code", "start_date", "end_date",
        "next_invoice_date", "invoice_recurrence.name",
    )  # fmt: skip
