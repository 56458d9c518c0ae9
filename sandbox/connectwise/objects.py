"""What ConnectWise keeps, what it asks for, and how references are filled in."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.account import Account
from sandbox.connectwise.vendor import COMPANY, Row, refuse, stamp

PATHS = {
    "companies": "/company/companies",
    "contacts": "/company/contacts",
    "members": "/system/members",
    "projects": "/project/projects",
    "project_tickets": "/project/tickets",
    "service_tickets": "/service/tickets",
    "time_entries": "/time/entries",
    "expenses": "/expense/entries",
}
TYPES = {
    "companies": "company", "contacts": "contact", "members": "member", "projects": "project",
    "project_tickets": "ticket", "service_tickets": "ticket", "time_entries": "time", "expenses": "expense",
}  # fmt: skip
REFERENCES = {
    "company": "companies", "contact": "contacts", "member": "members", "project": "projects", "owner": "members",
}  # fmt: skip
REQUIRED = {
    "companies": ("name", "identifier", "site"), "contacts": ("firstName",), "members": ("identifier",),
    "projects": ("name", "company", "board", "billingMethod", "estimatedStart", "estimatedEnd"),
    "project_tickets": ("summary", "project"), "service_tickets": ("summary", "company", "board"),
    "time_entries": ("timeStart",), "expenses": ("date", "amount"),
}  # fmt: skip
STATUSES = {"New": 1, "Open": 2, "Closed": 9}
CLOSED = {9}
RECORD_TYPES = {"project_tickets": "ProjectTicket", "service_tickets": "ServiceTicket"}
CHARGE_TYPES = ("ServiceTicket", "ProjectTicket", "ChargeCode", "Activity")
BOARDS = ("Projects", "Service")
DEFAULTS: dict[str, Row] = {
    "companies": {"status": {"id": 1, "name": "Active"}, "deletedFlag": False, "phoneNumber": "", "website": ""},
    "contacts": {"inactiveFlag": False, "communicationItems": []},
    "members": {
        "inactiveFlag": False,
        "licenseClass": "F",
        "defaultEmail": "Office",
        "defaultPhone": "Office",
        "agreementInvoicingDisplayOptions": "RemainOnInvoicingScreen",
        "invoicingDisplayOptions": "RemainOnInvoicingScreen",
        "invoiceScreenDefaultTabFormat": "ShowInvoicingTab",
    },
    "projects": {"status": {"name": "New"}, "description": ""},
    "project_tickets": {"status": {"name": "New"}, "budgetHours": None},
    "service_tickets": {"status": {"name": "New"}, "recordType": "ServiceTicket"},
    "time_entries": {"status": "Open", "billableOption": "Billable", "actualHours": 0.0, "notes": ""},
    "expenses": {"status": "Open", "billableOption": "Billable", "type": {"id": 1, "name": "Mileage"}},
}


def make(account: Account, kind: str, data: Row) -> Row:
    row = {**DEFAULTS[kind], **data}
    check(account, kind, row)
    # Tickets of both kinds are numbered in one sequence.
    counter = "tickets" if kind.endswith("_tickets") else kind
    return kept(account, kind, {"id": account.next_number(counter, 101), **row}, "added")


def kept(account: Account, kind: str, row: Row, action: str) -> Row:
    row = {**row, **derived(account, kind, row), "_info": {"lastUpdated": stamp(account), "updatedBy": "Admin1"}}
    account.put(kind, str(row["id"]), row)
    account.emit(
        {
            "MessageId": str(uuid.uuid4()), "FromUrl": "na.myconnectwise.net", "CompanyId": COMPANY, "MemberId": "Admin1",
            "Action": action, "Type": TYPES[kind], "ID": row["id"], "Entity": json.dumps({"recordType": RECORD_TYPES.get(kind)}),
            "Metadata": {"key_url": "https://na.myconnectwise.net/v4_6_release/apis/3.0/system/callbacks/key"},
        }
    )  # fmt: skip
    return row


def derived(account: Account, kind: str, row: Row) -> Row:
    """Names beside ids, statuses by name, the project behind a ticket."""
    found: Row = {}
    for name, other in REFERENCES.items():
        if row.get(name):
            target = account.objects(other)[str(row[name]["id"])]
            found[name] = {"id": target["id"], "name": target.get("name") or target.get("firstName")}
    if kind in ("projects", "project_tickets", "service_tickets"):
        name = row["status"].get("name") or "New"
        found["status"] = {"id": STATUSES[name], "name": name}
        found["closedFlag"] = STATUSES[name] in CLOSED
    if row.get("chargeToType") == "ProjectTicket":
        ticket = account.objects("project_tickets")[str(row["chargeToId"])]
        found["project"] = ticket["project"]
    return found


def check(account: Account, kind: str, row: Row) -> None:
    problems = {name: f"The {name} field is required." for name in REQUIRED[kind] if not row.get(name)}
    for name, other in REFERENCES.items():
        if row.get(name) and str(row[name]["id"]) not in account.objects(other):
            problems[name] = f"{name} {row[name]['id']} was not found."
    if (row.get("board") or {}).get("name") not in (None, *BOARDS):
        problems["board"] = "The board was not found."
    if isinstance(row.get("status"), dict) and kind != "companies" and row["status"].get("name") not in STATUSES:
        problems["status"] = "The status was not found."
    if row.get("chargeToType") not in (None, *CHARGE_TYPES):
        problems["chargeToType"] = "The value is not one of the known types."
    if kind == "companies" and not problems:
        others = [other for other in account.objects(kind).values() if other["id"] != row.get("id")]
        if any(other["identifier"].lower() == row["identifier"].lower() for other in others):
            problems["identifier"] = "The identifier is already in use."
    refuse(**problems)


def value_at(row: Any, path: str) -> Any:
    """`company/id` of a row."""
    for part in path.split("/"):
        row = (row or {}).get(part) if isinstance(row, dict) else None
    return row
