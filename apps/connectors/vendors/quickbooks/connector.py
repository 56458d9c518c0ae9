"""One authorized conversation with one QuickBooks Online company."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import Call, VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.types import CheckResult, JsonDict, Sink, Stream
from apps.connectors.vendors.quickbooks import projects
from apps.connectors.vendors.quickbooks.hooks import QuickBooksHooks
from apps.connectors.vendors.quickbooks.manifest import BASE_URL, MANIFEST
from apps.connectors.vendors.quickbooks.sinks import CustomerSink, EstimateSink, InvoiceSink, PaymentSink
from apps.connectors.vendors.quickbooks.streams import (
    LARGEST_PAGE,
    CustomerStream,
    EstimateStream,
    InvoiceStream,
    PaymentStream,
)

# Fields appear and change meaning with the minor version; Intuit raised the lowest to 75 in August 2025.
MINOR_VERSION = "75"
_REALM = re.compile(r"\d{5,25}")
# Codes of Fault.Error[] that are about the conversation and not about the record that was sent.
_OUR_MISTAKES = ("4000", "4001", "4002")
_FOR_A_PERSON = ("3100", "3200", "6190")
# QuickBooks names no delay; its limits count by the minute.
_MINUTE = 60.0


class QuickBooksConnector(QuickBooksHooks, Connector):
    manifest: ClassVar[ConnectorManifest] = MANIFEST
    stream_types: ClassVar[Mapping[str, Callable[[Any], Stream]]] = {
        "customers": CustomerStream,
        "invoices": InvoiceStream,
        "payments": PaymentStream,
        "estimates": EstimateStream,
        "projects": projects.ProjectStream,
        "employees": projects.EmployeeStream,
        "time_entries": projects.TimeStream,
    }
    sink_types: ClassVar[Mapping[str, Callable[[Any], Sink]]] = {
        "customers": CustomerSink,
        "invoices": InvoiceSink,
        "payments": PaymentSink,
        "estimates": EstimateSink,
        "projects": projects.ProjectSink,
        "time_entries": projects.TimeSink,
    }

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        base_url = str(context.settings.get("base_url") or BASE_URL)
        self.is_vendor_host = base_url.rstrip("/") == BASE_URL
        self.client = VendorClient(context, base_url, self._auth, ERRORS)

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """Asks the company for itself: proves the token, the company id and the permission."""
        found = self.get(f"companyinfo/{self.realm_id}").get("CompanyInfo")
        if not isinstance(found, dict) or not found.get("CompanyName"):
            raise ConfigurationError("QuickBooks shows no company to this authorization.", code="no_company")
        return CheckResult(account_id=self.realm_id, account_name=found["CompanyName"])

    @property
    def realm_id(self) -> str:
        """Raises ConfigurationError for anything but digits: it becomes part of every address."""
        given = re.sub(r"[\s-]", "", str(self.context.settings.get("realm_id") or ""))
        if not _REALM.fullmatch(given):
            raise ConfigurationError("The company id must be the digits QuickBooks shows.", code="bad_realm")
        return given

    @cached_property
    def top_customers(self) -> dict[str, str]:
        """Jobs and projects, which QuickBooks keeps as customers, with the customer at the top of each."""
        parents: dict[str, str] = {}
        while True:
            window = f"STARTPOSITION {len(parents) + 1} MAXRESULTS {LARGEST_PAGE}"
            statement = f"SELECT * FROM Customer WHERE Job = true AND Active IN (true, false) ORDERBY Id {window}"  # noqa: S608
            found = self.query(statement)["QueryResponse"].get("Customer") or []
            parents |= {item["Id"]: item["ParentRef"]["value"] for item in found if item.get("Job")}
            if len(found) < LARGEST_PAGE:
                return {job: top_of(job, parents) for job in parents}

    def top_customer(self, job: JsonDict) -> str | None:
        """The customer at the top of a job or project."""
        parent = (job.get("ParentRef") or {}).get("value")
        return self.top_customers.get(parent, parent) if parent else None

    def is_job(self, customer: str | None) -> bool:
        """Asked again for one that is new since."""
        if customer and customer not in self.top_customers and customer not in self.known_customers:
            found = self.query(f"SELECT * FROM Customer WHERE Id = '{customer}'")["QueryResponse"].get("Customer") or []  # noqa: S608
            if found and found[0].get("Job"):
                self.__dict__.pop("top_customers", None)
            else:
                self.known_customers.add(customer)
        return customer in self.top_customers

    @cached_property
    def known_customers(self) -> set[str]:
        """Customers of which is known that they are no jobs."""
        return set()

    def get(self, path: str, **params: str) -> JsonDict:
        return self._send(Call(method="GET", path=self._path(path), params=_versioned(params)))

    def post(self, path: str, body: JsonDict, **params: str) -> JsonDict:
        return self._send(Call(method="POST", path=self._path(path), params=_versioned(params), json=body))

    def query(self, statement: str) -> JsonDict:
        """The whole answer to a statement of QuickBooks' query language, with the vendor's `time`."""
        data = self.get("query", query=statement)
        if not isinstance(data.get("QueryResponse"), dict):
            raise FatalError("QuickBooks answered a query without a QueryResponse.", code="format")
        return data

    def _path(self, path: str) -> str:
        return f"/v3/company/{self.realm_id}/{path}"

    def _send(self, call: Call) -> JsonDict:
        data = self.client.send(call).data
        if not isinstance(data, dict):
            raise FatalError("QuickBooks answered without an object.", code="format")
        return data

    def _auth(self) -> BearerAuth:
        token = self.context.credentials.get("access_token", "")
        if not token:
            raise ConfigurationError("The connection is not authorized yet.", code="not_authorized")
        return BearerAuth(token)


def top_of(customer: str, parents: Mapping[str, str]) -> str:
    while customer in parents:
        customer = parents[customer]
    return customer


def _versioned(params: Mapping[str, str]) -> dict[str, str]:
    return {**params, "minorversion": MINOR_VERSION}


def errors_of(data: Any) -> list[JsonDict]:
    """The errors of `Fault` (or of the gateway's `fault`, which writes everything small), with lower-case names."""
    fault = (data.get("Fault") or data.get("fault") or {}) if isinstance(data, dict) else {}
    found = fault.get("Error") or fault.get("error") or []
    return [{name.lower(): value for name, value in error.items()} for error in found]


def describe(data: Any) -> ErrorText:
    """What QuickBooks said, the details behind the headline where they say more."""
    errors = errors_of(data)
    texts = [str(error.get("detail") or error.get("message") or "") for error in errors]
    return ErrorText("; ".join(filter(None, texts)), str(errors[0].get("code") or "") if errors else "")


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    codes = {str(error.get("code")) for error in errors_of(response.data)}
    if response.status == 400 and codes.intersection(_OUR_MISTAKES):
        return FatalError
    if response.status < 500 and codes.intersection(_FOR_A_PERSON):
        return ConfigurationError
    return None


ERRORS = ErrorTable(describe=describe, classify=classify, delay=lambda headers: _MINUTE)
