"""The entity sets we simulate: their properties, defaults, required ones, and what they refer to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NO_ID = "00000000-0000-0000-0000-000000000000"
NO_DATE = "0001-01-01"


@dataclass(frozen=True)
class Entity:
    """`numbers` names the number series; `references` maps id properties to entity sets; `children` holds the lines."""

    properties: dict[str, Any]
    required: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()
    references: dict[str, str] = field(default_factory=dict)
    children: tuple[str, ...] = ()
    stamp: str = "lastModifiedDateTime"
    numbers: str = ""


def texts(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, "")


DOCUMENT: dict[str, Any] = {
    **texts("number", "externalDocumentNumber", "customerNumber", "customerName"), "customerId": NO_ID,
    "dueDate": NO_DATE, "currencyCode": "EUR", "totalAmountExcludingTax": 0, "totalTaxAmount": 0,
    "totalAmountIncludingTax": 0, "status": "Draft",
}  # fmt: skip
TOTALS = ("totalAmountExcludingTax", "totalTaxAmount", "totalAmountIncludingTax", "status", "number")
ENTITIES: dict[str, Entity] = {
    "customers": Entity(
        {
            **texts("number", "displayName", "email", "phoneNumber", "website", "taxRegistrationNumber"),
            "type": "Company", "currencyCode": "EUR", "blocked": "_x0020_",
        },
        required=("displayName",),
        numbers="C",
    ),
    "contacts": Entity(
        {
            **texts("number", "displayName", "companyNumber", "companyName", "email", "phoneNumber",
                    "mobilePhoneNumber"),
            "type": "Company", "contactsInformation": [],
        },
        required=("displayName",),
        readonly=("contactsInformation",),
        numbers="CT",
    ),
    "projects": Entity(texts("number", "displayName"), required=("displayName",), stamp="", numbers="J"),
    "employees": Entity(
        {
            **texts("number", "displayName", "givenName", "surname", "email", "personalEmail"), "status": "Active",
            "terminationDate": NO_DATE,
        },
        required=("givenName",),
        readonly=("displayName",),
        numbers="E",
    ),
    "timeRegistrationEntries": Entity(
        {
            "employeeId": NO_ID, "jobId": NO_ID, "date": NO_DATE, "quantity": 0, "status": "Open",
            "unitOfMeasureCode": "HOUR",
        },
        required=("employeeId", "date"),
        readonly=("status",),
        references={"employeeId": "employees", "jobId": "projects"},
        stamp="lastModfiedDateTime",  # spell-checker:disable-line
    ),
    "salesInvoices": Entity(
        {
            **DOCUMENT, "invoiceDate": NO_DATE, "postingDate": NO_DATE, "customerPurchaseOrderReference": "",
            "remainingAmount": 0,
        },
        required=("customerId",),
        readonly=(*TOTALS, "remainingAmount"),
        references={"customerId": "customers"},
        children=("salesInvoiceLines",),
    ),
    "salesQuotes": Entity(
        {**DOCUMENT, "documentDate": NO_DATE, "validUntilDate": NO_DATE},
        required=("customerId",),
        readonly=TOTALS,
        references={"customerId": "customers"},
        children=("salesQuoteLines",),
        numbers="Q",
    ),
    "customerPayments": Entity(
        {
            **texts("journalDisplayName", "documentNumber", "externalDocumentNumber", "description", "comment",
                    "appliesToInvoiceNumber"),
            "customerId": NO_ID, "postingDate": NO_DATE, "amount": 0, "appliesToInvoiceId": NO_ID,
        },
        references={"customerId": "customers", "appliesToInvoiceId": "salesInvoices"},
    ),
    "customerPaymentJournals": Entity(texts("code", "displayName")),
    "companyInformation": Entity(texts("displayName", "currencyCode")),
}  # fmt: skip
