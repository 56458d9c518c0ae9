"""How NetSuite's rows read in canonical words. Everything is text; booleans are T and F."""

from __future__ import annotations

from apps.connectors.sdk.manifest import StreamSpec

ACTIVE = 'record.isinactive == "T" ? "inactive" : "active"'
FULL_NAME = 'coalesce(trim(text(record.firstname) + " " + text(record.lastname)), record.entityid)'
INVOICE_STATUS = 'record.voided == "T" ? "void" : lookup({"A": "open", "B": "paid"}, record.status, "draft")'
# An estimate is open, processed (a sales order came of it), closed, voided or expired: "Transaction statuses for
# SuiteScript search filters", NetSuite's answer 23874 (Quote:Open is Estimate:A, and so on).
QUOTE_STATUS = (
    'record.voided == "T" ? "declined" : '
    'lookup({"A": "sent", "B": "accepted", "C": "declined", "V": "declined", "X": "expired"}, record.status, "draft")'
)
PROJECT_STATUS = (
    'record.isinactive == "T" ? "closed" : lookup({"Closed": "closed", "On Hold": "on_hold", "Awarded": "planned", '
    '"Pending": "planned", "Not Awarded": "closed"}, record.statusname, "open")'
)
EXPENSE_STATUS = 'lookup({"A": "draft", "B": "submitted", "C": "submitted", "D": "rejected", "E": "rejected"}, record.status, "approved")'


LINES = (
    'record.lines.map(l, {"description": text(l.memo), "quantity": decimal(l.quantity), '
    '"unit_price": money(l.rate, record.currency), "amount": money(l.amount, record.currency)})'
)


def amount(name: str) -> str:
    return f"money(record.{name}, record.currency)"


def ref(stream: str, column: str) -> dict[str, str]:
    return {"stream": stream, "id": f"coalesce(text(record.{column}), null)"}


STREAMS = (
    StreamSpec(
        name="customers",
        label="Customers",
        entity="account",
        fields={
            "name": "coalesce(record.companyname, record.entityid)",
            "number": "record.entityid",
            "email": "lower(record.email)",
            "phone": "record.phone",
            "website": "record.url",
            "currency": "record.currency",
            "status": ACTIVE,
        },
    ),
    StreamSpec(
        name="contacts",
        label="Contacts",
        entity="contact",
        fields={
            "name": FULL_NAME,
            "first_name": "record.firstname",
            "last_name": "record.lastname",
            "email": "lower(record.email)",
            "phone": "record.phone",
        },
        refs={"account": ref("customers", "company")},
    ),
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        fields={
            "name": "coalesce(record.companyname, record.entityid)",
            "code": "record.entityid",
            "status": PROJECT_STATUS,
            "start_date": "record.startdate",
            "end_date": "record.projectedenddate",
        },
        refs={"account": ref("customers", "customer")},
    ),
    StreamSpec(
        name="tasks",
        label="Project tasks",
        entity="task",
        fields={
            "name": "record.title",
            "status": 'record.status == "COMPLETE" ? "done" : "open"',
            "estimate_seconds": "seconds(record.estimatedwork)",
        },
        refs={"project": ref("projects", "project")},
    ),
    StreamSpec(
        name="employees",
        label="Employees",
        entity="resource",
        fields={"name": FULL_NAME, "email": "lower(record.email)", "status": ACTIVE},
    ),
    StreamSpec(
        name="time_bills",
        label="Time",
        entity="time_entry",
        fields={
            "work_date": "record.trandate",
            "duration_seconds": "seconds(record.hours)",
            "description": "record.memo",
            "status": 'lookup({"1": "submitted", "2": "submitted", "3": "approved"}, record.approvalstatus, "draft")',
            "billable": 'record.isbillable == "T"',
        },
        refs={
            "project": ref("projects", "project"),
            "task": ref("tasks", "casetaskevent"),
            "resource": ref("employees", "employee"),
        },
    ),
    StreamSpec(
        name="invoices",
        label="Invoices",
        entity="invoice",
        fields={
            "number": "record.tranid",
            "reference": "record.otherrefnum",
            "status": INVOICE_STATUS,
            "issue_date": "record.trandate",
            "due_date": "record.duedate",
            "currency": "record.currency",
            "subtotal": amount("subtotal"),
            "tax": amount("tax"),
            "total": amount("foreigntotal"),
            "amount_paid": amount("paid"),
            "amount_due": 'money(coalesce(record.foreignamountunpaid, "0"), record.currency)',
            "lines": LINES,
        },
        refs={"account": ref("customers", "customer"), "project": ref("projects", "project")},
    ),
    StreamSpec(
        name="quotes",
        label="Estimates",
        entity="quote",
        fields={
            "name": "coalesce(record.title, record.tranid)",
            "number": "record.tranid",
            "status": QUOTE_STATUS,
            "currency": "record.currency",
            "total": amount("foreigntotal"),
            "issue_date": "record.trandate",
            "expiry_date": "record.duedate",
            "lines": LINES,
        },
        refs={"account": ref("customers", "customer")},
    ),
    StreamSpec(
        name="payments",
        label="Customer payments",
        entity="payment",
        fields={
            "amount": amount("foreigntotal"),
            "paid_date": "record.trandate",
            "reference": "coalesce(record.memo, record.tranid)",
        },
        # One payment may settle several invoices; the reference then names none of them.
        refs={
            "invoice": {"stream": "invoices", "id": "size(record.invoices) == 1 ? text(record.invoices[0]) : null"},
        },
        deletes=True,
    ),
    StreamSpec(
        name="expenses",
        label="Expenses",
        entity="expense",
        fields={
            "spent_date": "record.trandate",
            "amount": amount("amount"),
            "status": EXPENSE_STATUS,
            "billable": 'record.isbillable == "T"',
            "description": "record.memo",
            "category": "record.categoryname",
        },
        refs={"project": ref("projects", "project"), "resource": ref("employees", "entity")},
    ),
)
