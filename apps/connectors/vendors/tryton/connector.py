"""The Tryton connector: what it reads, what it writes, and whether its key works."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.types import CheckResult
from apps.connectors.vendors.tryton.api import TrytonApi
from apps.connectors.vendors.tryton.invoices import InvoiceSink
from apps.connectors.vendors.tryton.manifest import MANIFEST
from apps.connectors.vendors.tryton.sales import SaleStream, SubscriptionStream
from apps.connectors.vendors.tryton.sinks import PartySink, ProjectSink, TaskSink, TimesheetLineSink
from apps.connectors.vendors.tryton.streams import (
    EmployeeStream,
    InvoiceStream,
    PartyStream,
    PaymentStream,
    ProjectStream,
    TaskStream,
    TimesheetLineStream,
)


class TrytonConnector(Connector):
    manifest = MANIFEST
    stream_types = {
        "parties": PartyStream,
        "projects": ProjectStream,
        "tasks": TaskStream,
        "employees": EmployeeStream,
        "timesheet_lines": TimesheetLineStream,
        "invoices": InvoiceStream,
        "payments": PaymentStream,
        "quotes": SaleStream,
        "contracts": SubscriptionStream,
    }
    sink_types = {
        "parties": PartySink,
        "projects": ProjectSink,
        "tasks": TaskSink,
        "timesheet_lines": TimesheetLineSink,
        "invoices": InvoiceSink,
    }

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.lookups: dict[str, Any] = {}
        self.timesheet_works: dict[str, int] = {}

    @cached_property
    def api(self) -> TrytonApi:
        return TrytonApi(self.context)

    def check(self) -> CheckResult:
        """Reads the company: an unknown key is 401, and an address without the database's name 404."""
        try:
            company = self.api.company
        except RecordRejected as error:
            if error.status != 404:
                raise
            raise ConfigurationError("no Tryton database at this address", code="address", status=404) from error
        return CheckResult(account_id=str(company["id"]), account_name=company["party"]["name"])
