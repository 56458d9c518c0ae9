"""How Odoo's records read in canonical words."""

from __future__ import annotations

from apps.connectors.sdk.manifest import StreamSpec

INVOICE_STATUS = (
    'record.state == "cancel" || get(record, "payment_state") == "reversed" ? "void" : '
    '(record.state == "draft" ? "draft" : '
    '(lookup({"paid": true, "in_payment": true}, get(record, "payment_state"), false) ? "paid" : "open"))'
)
PROJECT_STATUS = (
    '!record.active ? "closed" : '
    'lookup({"done": "closed", "on_hold": "on_hold"}, get(record, "last_update_status"), "open")'
)
TASK_STATUS = '!record.active ? "done" : lookup({"1_done": "done", "1_canceled": "done"}, get(record, "state"), "open")'
EXPENSE_STATUS = (
    'lookup({"draft": "draft", "reported": "draft", "submitted": "submitted", "refused": "rejected"}, record.state, '
    '"approved")'
)
QUOTE_STATUS = (
    'lookup({"sale": "accepted", "done": "accepted", "cancel": "declined"}, record.state, '
    'get(record, "is_expired") == true ? "expired" : (record.state == "sent" ? "sent" : "draft"))'
)
BILLABLE_TIME = (
    'get(record, "timesheet_invoice_type") == null ? true : '
    'lookup({"billable_time": true, "billable_fixed": true, "billable_milestones": true, "billable_manual": true}, '
    "record.timesheet_invoice_type, false)"
)
ACTIVE = 'record.active ? "active" : "inactive"'


def currency(field: str) -> str:
    """The code of a currency reads as the name of its record."""
    return f'get(record, "{field}.name")'


def amount(name: str, field: str = "currency_id") -> str:
    return f'money(get(record, "{name}"), {currency(field)})'


def ref(field: str) -> str:
    """An id as text, null where there is none."""
    return f'coalesce(text(get(record, "{field}")), null)'


def lines(quantity: str) -> str:
    code = "record.currency_id.name"
    return (
        f'record.lines.map(l, {{"description": text(l.name), "quantity": decimal(l.{quantity}), '
        f'"unit_price": money(l.price_unit, {code}), "amount": money(l.price_subtotal, {code})}})'
    )


ACCOUNT_REF = {"account": {"stream": "companies", "id": ref("account")}}
CONTACT_REF = {"contact": {"stream": "people", "id": ref("contact")}}
PROJECT_REF = {"project": {"stream": "projects", "id": ref("project_id.id")}}
EMPLOYEE_REF = {"resource": {"stream": "employees", "id": ref("employee_id.id")}}

STREAMS = (
    StreamSpec(
        name="companies",
        label="Companies",
        entity="account",
        fields={
            "name": "text(record.name)",
            "number": 'get(record, "ref")',
            "email": 'lower(get(record, "email"))',
            "phone": 'get(record, "phone")',
            "website": 'get(record, "website")',
            "tax_id": 'get(record, "vat")',
            "status": ACTIVE,
        },
    ),
    StreamSpec(
        name="people",
        label="Contacts",
        entity="contact",
        fields={
            "name": "text(record.name)",
            "email": 'lower(get(record, "email"))',
            "phone": 'get(record, "phone")',
        },
        refs=ACCOUNT_REF,
    ),
    StreamSpec(
        name="opportunities",
        label="Opportunities",
        entity="opportunity",
        fields={
            "name": "record.name",
            "stage": "record.stage",
            "amount": amount("expected_revenue", "company_currency"),
            "close_date": 'get(record, "date_deadline")',
            "owner_email": 'lower(get(record, "owner_email"))',
        },
        refs={**ACCOUNT_REF, **CONTACT_REF},
    ),
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        fields={
            "name": "record.name",
            "status": PROJECT_STATUS,
            "start_date": 'get(record, "date_start")',
            "end_date": 'get(record, "date")',
        },
        refs=ACCOUNT_REF,
    ),
    StreamSpec(
        name="tasks",
        label="Tasks",
        entity="task",
        fields={
            "name": "record.name",
            "status": TASK_STATUS,
            "estimate_seconds": 'seconds(get(record, "allocated_hours"))',
        },
        refs=PROJECT_REF,
    ),
    StreamSpec(
        name="employees",
        label="Employees",
        entity="resource",
        fields={"name": "record.name", "email": 'lower(get(record, "work_email"))', "status": ACTIVE},
    ),
    StreamSpec(
        name="timesheets",
        label="Timesheets",
        entity="time_entry",
        fields={
            "work_date": "record.date",
            "duration_seconds": "seconds(record.unit_amount)",
            # Odoo puts a slash where nobody described the work.
            "description": 'record.name == "/" ? null : record.name',
            # Only timesheets of the paid edition are validated; elsewhere what is entered counts.
            "status": 'get(record, "validated") == false ? "submitted" : "approved"',
            "billable": BILLABLE_TIME,
        },
        refs={
            **PROJECT_REF,
            "task": {"stream": "tasks", "id": ref("task_id.id")},
            **EMPLOYEE_REF,
            "invoice": {"stream": "invoices", "id": ref("timesheet_invoice_id.id")},
        },
    ),
    StreamSpec(
        name="milestones",
        label="Milestones",
        entity="milestone",
        fields={
            "name": "record.name",
            "status": 'record.is_reached ? "done" : "open"',
            "due_date": 'get(record, "deadline")',
            "completed_date": 'get(record, "reached_date")',
        },
        refs=PROJECT_REF,
    ),
    StreamSpec(
        name="invoices",
        label="Customer invoices",
        entity="invoice",
        fields={
            # A draft has no number yet: null, or a slash in older versions.
            "number": 'get(record, "name") == "/" ? null : get(record, "name")',
            "reference": 'get(record, "ref")',
            "status": INVOICE_STATUS,
            "issue_date": 'get(record, "invoice_date")',
            "due_date": 'get(record, "invoice_date_due")',
            "currency": currency("currency_id"),
            "subtotal": amount("amount_untaxed"),
            "tax": amount("amount_tax"),
            "total": amount("amount_total"),
            # The residual of what was never posted, or was cancelled, says nothing about payments.
            "amount_paid": 'money(record.state == "posted" ? double(record.amount_total) - double(record.amount_residual) : 0.0, '
            "record.currency_id.name)",
            "amount_due": 'money(record.state == "cancel" ? 0.0 : '
            '(record.state == "draft" ? double(record.amount_total) : double(record.amount_residual)), record.currency_id.name)',
            "lines": lines("quantity"),
        },
        refs=ACCOUNT_REF,
    ),
    StreamSpec(
        name="payments",
        label="Customer payments",
        entity="payment",
        fields={
            "amount": amount("amount"),
            "paid_date": "record.date",
            "method": 'get(record, "journal_id.name")',
            "reference": 'coalesce(coalesce(get(record, "memo"), get(record, "ref")), get(record, "name"))',
        },
        # One payment may settle several invoices; the reference then names none of them.
        refs={
            "invoice": {
                "stream": "invoices",
                "id": "size(record.reconciled_invoice_ids) == 1 ? text(record.reconciled_invoice_ids[0]) : null",
            }
        },
        deletes=True,
    ),
    StreamSpec(
        name="expenses",
        label="Expenses",
        entity="expense",
        fields={
            "spent_date": "record.date",
            "amount": amount("total_amount_currency"),
            "status": EXPENSE_STATUS,
            "billable": 'get(record, "sale_order_id") != null',
            "description": "record.name",
            "category": 'get(record, "product_id.name")',
        },
        refs={"project": {"stream": "projects", "id": ref("project")}, **EMPLOYEE_REF},
    ),
    StreamSpec(
        name="quotes",
        label="Quotes",
        entity="quote",
        fields={
            "name": 'coalesce(get(record, "client_order_ref"), record.name)',
            "number": "record.name",
            "status": QUOTE_STATUS,
            "currency": currency("currency_id"),
            "total": amount("amount_total"),
            "issue_date": 'date(get(record, "date_order"))',
            "expiry_date": 'get(record, "validity_date")',
            "lines": lines("product_uom_qty"),
        },
        refs={
            **ACCOUNT_REF,
            **CONTACT_REF,
            "opportunity": {"stream": "opportunities", "id": ref("opportunity_id.id")},
        },
    ),
)
