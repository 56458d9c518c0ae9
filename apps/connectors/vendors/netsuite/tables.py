"""What is read with SuiteQL: columns, joins and conditions of each object.

Dates are asked for as text, since NetSuite writes them in the format of whoever asks. Amounts of transactions count from
the ledger's side: what a customer owes is positive in the head and negative in the lines.
"""

from __future__ import annotations

import msgspec


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`record` is the name in the record service. `key` and `stamp` are the columns that order the rows."""

    record: str
    source: str
    columns: dict[str, str]
    condition: str = ""
    key: str = "t.id"
    stamp: str = "t.lastmodifieddate"
    lines: bool = False
    links: bool = False


def day(column: str) -> str:
    return f"TO_CHAR({column}, 'YYYY-MM-DD')"


def plain(*names: str) -> dict[str, str]:
    return {name: f"t.{name}" for name in names}


TRANSACTION = "transaction t LEFT JOIN currency c ON c.id = t.currency"
SYMBOL = {"currency": "c.symbol"}

TABLES: dict[str, Table] = {
    "customers": Table(
        record="customer",
        source="customer t LEFT JOIN currency c ON c.id = t.currency",
        columns={**plain("entityid", "companyname", "email", "phone", "url", "isinactive"), **SYMBOL},
        condition="t.isperson = 'F'",
    ),
    "contacts": Table(
        record="contact",
        source="contact t",
        columns=plain("entityid", "firstname", "lastname", "email", "phone", "company", "isinactive"),
    ),
    "projects": Table(
        record="job",
        source="job t LEFT JOIN jobstatus s ON s.id = t.entitystatus",
        columns={
            **plain("entityid", "companyname", "customer", "isinactive"), "statusname": "s.name",
            "startdate": day("t.startdate"), "projectedenddate": day("t.projectedenddate"),
        },
    ),
    "tasks": Table(
        record="projectTask",
        source="projecttask t",
        columns=plain("title", "project", "status", "estimatedwork"),
    ),
    "employees": Table(
        record="employee",
        source="employee t",
        columns=plain("entityid", "firstname", "lastname", "email", "isinactive"),
    ),
    "time_bills": Table(
        record="timeBill",
        # Time is booked on a project or on a customer; both are entities to NetSuite.
        source="timebill t LEFT JOIN job j ON j.id = t.customer",
        columns={
            **plain("employee", "casetaskevent", "memo", "hours", "isbillable", "approvalstatus"),
            "trandate": day("t.trandate"), "project": "j.id",
        },
    ),
    "invoices": Table(
        record="invoice",
        # An invoice goes to a customer, or to a project and by it to the project's customer.
        source=f"{TRANSACTION} LEFT JOIN job j ON j.id = t.entity",
        columns={
            **plain("tranid", "externalid", "otherrefnum", "entity", "status", "voided", "foreigntotal", "foreignamountunpaid"),
            **SYMBOL, "trandate": day("t.trandate"), "duedate": day("t.duedate"), "project": "j.id",
            "customer": "COALESCE(j.customer, t.entity)",
        },
        condition="t.type = 'CustInvc'",
        lines=True,
    ),
    "quotes": Table(
        record="estimate",
        source=f"{TRANSACTION} LEFT JOIN job j ON j.id = t.entity",
        columns={
            **plain("tranid", "title", "externalid", "entity", "status", "voided", "foreigntotal"), **SYMBOL,
            "trandate": day("t.trandate"), "duedate": day("t.duedate"), "customer": "COALESCE(j.customer, t.entity)",
        },
        condition="t.type = 'Estimate'",
        lines=True,
    ),
    "payments": Table(
        record="customerPayment",
        source=TRANSACTION,
        columns={
            **plain("tranid", "memo", "voided", "foreigntotal"), **SYMBOL, "trandate": day("t.trandate"),
        },
        condition="t.type = 'CustPymt'",
        links=True,
    ),
    # Each line of an expense report is an expense of its own.
    "expenses": Table(
        record="expenseReport",
        source="transactionline l JOIN transaction t ON t.id = l.transaction "
        "LEFT JOIN currency c ON c.id = t.currency LEFT JOIN expensecategory e ON e.id = l.category "
        "LEFT JOIN job j ON j.id = l.entity",
        columns={
            **plain("entity", "status"), **SYMBOL, "memo": "l.memo", "amount": "l.foreignamount",
            "project": "j.id", "isbillable": "l.isbillable", "categoryname": "e.name",
            "trandate": day("l.expensedate"),
        },
        condition="t.type = 'ExpRept' AND l.mainline = 'F'",
        key="l.uniquekey",
    ),
}  # fmt: skip
