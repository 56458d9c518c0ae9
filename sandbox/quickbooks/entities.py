"""Customers, invoices, estimates and payments: what a save makes of the fields that are sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.quickbooks.company import CENT, Company, JsonDict, Refused, cents, decimal, number

TAX_PERCENT = Decimal(8)
_CUSTOMER_FIELDS = (
    "Title", "GivenName", "FamilyName", "CompanyName", "DisplayName", "PrintOnCheckName", "Active", "Notes",
    "PrimaryPhone", "PrimaryEmailAddr", "WebAddr", "BillAddr", "Taxable",
)  # fmt: skip
_DOCUMENT_FIELDS = ("DocNumber", "TxnDate", "PrivateNote", "CustomerMemo", "BillEmail")
_TIME_FIELDS = (
    "TxnDate", "NameOf", "EmployeeRef", "CustomerRef", "ItemRef", "Hours", "Minutes", "StartTime", "EndTime",
    "BreakHours", "BreakMinutes", "Description", "BillableStatus", "HourlyRate",
)  # fmt: skip
_KNOWN = {
    "Employee": {"DisplayName", "GivenName", "FamilyName", "PrimaryEmailAddr", "Active"},
    "TimeActivity": {*_TIME_FIELDS},
    "Customer": {*_CUSTOMER_FIELDS, "CurrencyRef", "ParentRef", "Job", "IsProject", "BillWithParent"},
    "Invoice": {*_DOCUMENT_FIELDS, "CustomerRef", "CurrencyRef", "Line", "DueDate"},
    "Estimate": {*_DOCUMENT_FIELDS, "CustomerRef", "CurrencyRef", "Line", "ExpirationDate", "TxnStatus"},
    "Payment": {
        "CustomerRef",
        "CurrencyRef",
        "TotalAmt",
        "TxnDate",
        "PaymentRefNum",
        "PrivateNote",
        "Line",
        "PaymentMethodRef",
    },
}
# What clients send along although nothing comes of it: sums, states, fields that this company does not use.
_LEFT_ALONE = {
    "Balance", "BalanceWithJobs", "FullyQualifiedName", "Level", "MiddleName", "OpenBalanceDate", "Suffix", "ResaleNum",
    "PreferredDeliveryMethod", "PrimaryTaxIdentifier", "AllowIPNPayment", "AllowOnlineACHPayment", "LinkedTxn", "Deposit",
    "AllowOnlineCreditCardPayment", "ApplyTaxAfterDiscount", "CustomField", "EmailStatus", "ExchangeRate", "HomeBalance",
    "FreeFormAddress", "GlobalTaxCalculation", "HomeTotalAmt", "InvoiceLink", "PrintStatus", "ShipDate", "TrackingNum",
    "TotalAmt", "TxnTaxDetail", "UnappliedAmt", "ProcessPayment", "DepositToAccountRef",
}  # fmt: skip
_ALWAYS = {"Id", "SyncToken", "sparse", "domain", "MetaData"}
LONGEST_DOC_NUMBER = 21


def save(company: Company, entity: str, fields: JsonDict) -> JsonDict:
    """Create, or change what `Id` names. Without `sparse` a change replaces the whole object."""
    if entity not in _SAVERS:
        raise Refused("4000", "Error parsing query", f"{entity} cannot be written here", type="QueryParserError")
    unknown = set(fields) - _KNOWN[entity] - _LEFT_ALONE - _ALWAYS
    if unknown:
        detail = f"Property Name:Can not construct instance of {entity}: {', '.join(sorted(unknown))}"
        raise Refused("2010", "Request has invalid or unsupported property", detail)
    current = current_for_change(company, entity, fields) if fields.get("Id") else None
    return _SAVERS[entity](company, current, fields)


def current_for_change(company: Company, entity: str, fields: JsonDict) -> JsonDict:
    """The object as it is, when the sender knew that. Raises Refused (610, 5010)."""
    current = company.require(entity, fields["Id"])
    if str(fields.get("SyncToken")) != current["SyncToken"]:
        detail = (
            "Stale Object Error : You and somebody else were working on this at the same time. Your work was not saved."
        )
        raise Refused("5010", "Stale Object Error", detail)
    return current


def _merged(current: JsonDict | None, fields: JsonDict, names: tuple[str, ...]) -> JsonDict:
    kept = {name: (current or {}).get(name) for name in names} if fields.get("sparse") else {}
    given = {name: fields[name] for name in names if name in fields}
    return {name: value for name, value in {**kept, **given}.items() if value is not None}


def _save_customer(company: Company, current: JsonDict | None, fields: JsonDict) -> JsonDict:
    item = _merged(current, fields, _CUSTOMER_FIELDS)
    name = str(item.get("DisplayName") or "").strip()
    if not name:
        detail = (
            "At least one of Title, Given Name, Middle Name, Family Name, Suffix, or Display Name must be specified."
        )
        raise Refused("2020", "Required param missing, need to supply the required value for the API", detail)
    if ":" in name or len(name) > 500:
        raise Refused("2040", "String length specified does not match the supported length", "Invalid DisplayName")
    owner = next((c for c in company.all("Customer") if c["DisplayName"].casefold() == name.casefold()), None)
    if owner is not None and owner["Id"] != (current or {}).get("Id"):
        raise Refused("6240", "Duplicate Name Exists Error", f"The name supplied already exists. : Id={owner['Id']}")
    email = (item.get("PrimaryEmailAddr") or {}).get("Address") or ""
    if email and "@" not in email:
        raise Refused("2210", "Invalid Email Address format", "Email Address does not conform to the syntax rules")
    for part, key in (("PrimaryEmailAddr", "Address"), ("PrimaryPhone", "FreeFormNumber"), ("WebAddr", "URI")):
        if not (item.get(part) or {}).get(key):
            item.pop(part, None)
    _keep_who_owes(company, current, item)
    base = current or {**company.blank(), "CurrencyRef": company.currency(fields)}
    parent = fields.get("ParentRef") or base.get("ParentRef")
    made = {
        "Taxable": False,
        "Job": parent is not None,
        "BillWithParent": False,
        "Balance": 0,
        "BalanceWithJobs": 0,
        "CurrencyRef": base["CurrencyRef"],
        "PreferredDeliveryMethod": "Print",
        "IsProject": bool(fields.get("IsProject") or base.get("IsProject")),
        "Active": True,
        "FullyQualifiedName": name,
        "PrintOnCheckName": name,
        **{key: base[key] for key in ("domain", "sparse", "Id", "SyncToken", "MetaData")},
        **({"ParentRef": company.refer("Customer", parent, "ParentRef", "DisplayName")} if parent else {}),
        **item,
    }
    return company.save("Customer", made, operation="Update" if current else "Create")


def _keep_who_owes(company: Company, current: JsonDict | None, item: JsonDict) -> None:
    if current is not None and current["Active"] and item.get("Active") is False and company.owed(current["Id"]):
        detail = "This customer cannot be deleted because it has a non-zero balance"
        raise Refused("6000", "Delete List Has Balance Error: The entity has an open balance.", detail)


def _document(
    company: Company, entity: str, current: JsonDict | None, fields: JsonDict, more: tuple[str, ...]
) -> JsonDict:
    """The header and lines that invoices and estimates share."""
    item = _merged(current, fields, (*_DOCUMENT_FIELDS, "CustomerRef", "Line", *more))
    if not item.get("CustomerRef") or not item.get("Line"):
        missing = "CustomerRef" if not item.get("CustomerRef") else "Line"
        detail = f"Required parameter {missing} is missing in the request"
        raise Refused("2020", "Required param missing, need to supply the required value for the API", detail)
    item["CustomerRef"] = company.refer("Customer", item["CustomerRef"], "CustomerRef", "DisplayName")
    customer = company.find("Customer", item["CustomerRef"]["value"])
    item["CurrencyRef"] = company.currency(fields, customer)
    item["DocNumber"] = _doc_number(company, entity, current, item)
    item["TxnDate"] = _day(item.get("TxnDate"), "TxnDate", company)
    lines, net, tax = _lines(company, item["Line"])
    item |= {"Line": lines, "TxnTaxDetail": {"TotalTax": number(tax)}, "TotalAmt": number(net + tax)}
    base = current or company.blank()
    return {
        **{key: base[key] for key in ("domain", "sparse", "Id", "SyncToken", "MetaData")},
        "CustomField": [],
        "ApplyTaxAfterDiscount": False,
        "PrintStatus": "NeedToPrint",
        "EmailStatus": "NotSet",
        **item,
    }


def _save_invoice(company: Company, current: JsonDict | None, fields: JsonDict) -> JsonDict:
    item = _document(company, "Invoice", current, fields, ("DueDate",))
    paid = decimal((current or {}).get("TotalAmt", 0), "TotalAmt") - decimal(
        (current or {}).get("Balance", 0), "Balance"
    )
    item["LinkedTxn"] = (current or {}).get("LinkedTxn", [])
    due = date.fromisoformat(item["TxnDate"]) + timedelta(days=30)
    item["DueDate"] = _day(item.get("DueDate") or due.isoformat(), "DueDate", company)
    item["Balance"] = number(decimal(item["TotalAmt"], "TotalAmt") - paid)
    return company.save("Invoice", item, operation="Update" if current else "Create")


def _save_estimate(company: Company, current: JsonDict | None, fields: JsonDict) -> JsonDict:
    item = _document(company, "Estimate", current, fields, ("ExpirationDate", "TxnStatus"))
    item.setdefault("TxnStatus", "Pending")
    if item["TxnStatus"] not in ("Pending", "Accepted", "Closed", "Rejected", "Converted"):
        raise Refused("2010", "Request has invalid or unsupported property", "TxnStatus", element="TxnStatus")
    return company.save("Estimate", item, operation="Update" if current else "Create")


def _save_payment(company: Company, current: JsonDict | None, fields: JsonDict) -> JsonDict:
    """Pays the invoices its lines link; a change first gives back what was paid before."""
    if not fields.get("CustomerRef"):
        detail = "Required parameter CustomerRef is missing in the request"
        raise Refused("2020", "Required param missing, need to supply the required value for the API", detail)
    names = ("TotalAmt", "TxnDate", "PaymentRefNum", "PrivateNote", "Line", "PaymentMethodRef")
    item = _merged(current, fields, names)
    total = decimal(item.get("TotalAmt", 0), "TotalAmt")
    shares = _shares(company, item.get("Line") or [])
    for invoice, share in shares:
        held = sum(
            (old for known, old in _shares(company, (current or {}).get("Line") or []) if known["Id"] == invoice["Id"]),
            Decimal(0),
        )
        if share > decimal(invoice["Balance"], "Balance") + held:
            raise Refused("6000", "A business validation error has occurred", "The amount exceeds the open balance")
    base = current or company.blank()
    customer = company.refer("Customer", fields["CustomerRef"], "CustomerRef", "DisplayName")
    made = {
        "DepositToAccountRef": {"value": "4"},
        "UnappliedAmt": number(total - sum((share for _, share in shares), Decimal(0))),
        "ProcessPayment": False,
        **{key: base[key] for key in ("domain", "sparse", "Id", "SyncToken", "MetaData")},
        "CurrencyRef": company.currency(fields, company.find("Customer", customer["value"])),
        "Line": [],
        **item,
        "TotalAmt": number(total),
        "CustomerRef": customer,
        "TxnDate": _day(item.get("TxnDate"), "TxnDate", company),
    }
    settle(company, (current or {}).get("Line") or [], sign=-1)
    settle(company, made["Line"], sign=1, payment_id=made["Id"])
    return company.save("Payment", made, operation="Update" if current else "Create")


def settle(company: Company, lines: list[JsonDict], *, sign: int, payment_id: str = "") -> None:
    """Take paid amounts off the invoices' balances, or give them back. The invoices' webhooks stay silent."""
    for invoice, share in _shares(company, lines):
        invoice["Balance"] = number(decimal(invoice["Balance"], "Balance") - sign * share)
        links = [link for link in invoice["LinkedTxn"] if link["TxnType"] != "Payment"]
        invoice["LinkedTxn"] = [*links, {"TxnId": payment_id, "TxnType": "Payment"}] if sign > 0 else links
        company.account.put("Invoice", invoice["Id"], company.touched(invoice))


def void(company: Company, entity: str, fields: JsonDict) -> JsonDict:
    """The document stays, worth nothing."""
    item = current_for_change(company, entity, fields)
    for line in item["Line"]:
        line["Amount"] = 0
        detail = line.get("SalesItemLineDetail")
        if detail:
            detail |= {"Qty": 0}
    item |= {"TotalAmt": 0, "Balance": 0, "TxnTaxDetail": {"TotalTax": 0}, "PrivateNote": "Voided"}
    return company.save(entity, item, operation="Void")


def remove(company: Company, entity: str, fields: JsonDict) -> JsonDict:
    item = current_for_change(company, entity, fields)
    if entity == "Payment":
        settle(company, item["Line"], sign=-1)
    return company.delete(entity, item["Id"])


def _shares(company: Company, lines: list[JsonDict]) -> list[tuple[JsonDict, Decimal]]:
    links = [(line, link) for line in lines for link in line.get("LinkedTxn") or [] if link.get("TxnType") == "Invoice"]
    return [
        (company.require("Invoice", link.get("TxnId")), decimal(line.get("Amount", 0), "Amount"))
        for line, link in links
    ]


def _lines(company: Company, given: list[JsonDict]) -> tuple[list[JsonDict], Decimal, Decimal]:
    """The lines as stored, the net amount and the tax. Raises Refused when an amount is not quantity times price."""
    lines: list[JsonDict] = []
    net = taxable = Decimal(0)
    for line in given:
        if line.get("DetailType") == "SubTotalLineDetail":
            continue
        if line.get("DetailType") != "SalesItemLineDetail":
            raise Refused("2010", "Request has invalid or unsupported property", "DetailType", element="DetailType")
        detail = dict(line.get("SalesItemLineDetail") or {})
        amount = decimal(line.get("Amount"), "Amount")
        if "Qty" in detail and "UnitPrice" in detail:
            product = cents(decimal(detail["Qty"], "Qty") * decimal(detail["UnitPrice"], "UnitPrice"))
            if abs(product - amount) > CENT:
                detail_text = "Amount calculation incorrect in the request: Amount is not equal to UnitPrice * Qty."
                raise Refused("6070", "Amount calculation incorrect in the request", detail_text, element="Amount")
        detail["ItemRef"] = company.refer("Item", detail.get("ItemRef") or {"value": "1"}, "ItemRef", "Name")
        detail.setdefault("TaxCodeRef", {"value": "NON"})
        net += amount
        taxable += amount if detail["TaxCodeRef"].get("value") == "TAX" else 0
        text = {"Description": line["Description"]} if line.get("Description") else {}
        position = len(lines) + 1
        lines.append({"Id": str(position), "LineNum": position, **text, "Amount": number(amount),
                      "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail, "CustomExtensions": []})  # fmt: skip
    lines.append({"Amount": number(net), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    return lines, net, cents(taxable * TAX_PERCENT / 100)


def _doc_number(company: Company, entity: str, current: JsonDict | None, item: JsonDict) -> str:
    wanted = str(item.get("DocNumber") or "") or (current or {}).get("DocNumber")
    if not wanted:
        return str(company.account.next_number("document", start=1001))
    if len(wanted) > LONGEST_DOC_NUMBER:
        raise Refused(
            "2050", "String length is either shorter or longer than supported", "Max: 21", element="DocNumber"
        )
    twin = next(
        (i for i in company.all(entity) if i["DocNumber"] == wanted and i["Id"] != (current or {}).get("Id")), None
    )
    if twin is not None:
        detail = f"You must specify a different number. This number has already been used. DocNumber={wanted}"
        raise Refused("6140", "Duplicate Document Number Error", detail)
    return str(wanted)


def _day(value: Any, field: str, company: Company) -> str:
    if not value:
        return company.now.date().isoformat()
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise Refused("2030", "Invalid ID", f"Invalid date: {value}", element=field) from None


def _save_employee(company: Company, current: JsonDict | None, fields: JsonDict) -> JsonDict:
    item = _merged(current, fields, ("DisplayName", "GivenName", "FamilyName", "PrimaryEmailAddr", "Active"))
    if not (item.get("DisplayName") or item.get("FamilyName")):
        raise Refused("2020", "Required param missing, need to supply the required value for the API", "FamilyName")
    item.setdefault("DisplayName", f"{item.get('GivenName', '')} {item.get('FamilyName', '')}".strip())
    base = current or company.blank()
    own = {key: base[key] for key in ("domain", "sparse", "Id", "SyncToken", "MetaData")}
    return company.save("Employee", {"Active": True, **own, **item}, operation="Update" if current else "Create")


def _save_time(company: Company, current: JsonDict | None, fields: JsonDict) -> JsonDict:
    """Of an employee, on a customer or job; billable only where there is one to bill."""
    item = _merged(current, fields, _TIME_FIELDS)
    if item.get("NameOf") != "Employee" or not item.get("EmployeeRef"):
        detail = "Required parameter EmployeeRef is missing in the request"
        raise Refused("2020", "Required param missing, need to supply the required value for the API", detail)
    item["EmployeeRef"] = company.refer("Employee", item["EmployeeRef"], "EmployeeRef", "DisplayName")
    if item.get("CustomerRef"):
        item["CustomerRef"] = company.refer("Customer", item["CustomerRef"], "CustomerRef", "DisplayName")
    elif item.get("BillableStatus") == "Billable":
        raise Refused("6000", "A business validation error has occurred", "A customer is required for billable time")
    item["TxnDate"] = _day(item.get("TxnDate"), "TxnDate", company)
    base = current or company.blank()
    own = {key: base[key] for key in ("domain", "sparse", "Id", "SyncToken", "MetaData")}
    made = {"BillableStatus": "NotBillable", "Hours": 0, "Minutes": 0, **own, **item}
    return company.save("TimeActivity", made, operation="Update" if current else "Create")


_SAVERS: dict[str, Callable[[Company, JsonDict | None, JsonDict], JsonDict]] = {
    "Customer": _save_customer,
    "Invoice": _save_invoice,
    "Estimate": _save_estimate,
    "Payment": _save_payment,
    "Employee": _save_employee,
    "TimeActivity": _save_time,
}
