"""The four fake vendors with the objects that only some real ones have: milestones, expenses, quotes, subscriptions."""

from __future__ import annotations

from apps.connectors.sdk.manifest import Domain, SinkSpec, StreamSpec
from tests.sync.fake_vendor import (
    BILLING_SINKS,
    BILLING_STREAMS,
    CRM_SINKS,
    CRM_STREAMS,
    DELIVERY_SINKS,
    DELIVERY_STREAMS,
    ERP_SINKS,
    ERP_STREAMS,
    INVOICE,
    FakeConnector,
    connector_type,
    manifest,
    plain,
    ref,
)


def written(*names: str) -> dict[str, str]:
    return {name: f"record.{name}" for name in names}


QUOTES = StreamSpec(
    name="quotes", label="Quotes", entity="quote", fields=plain("name", "number", "status", "currency", "total"),
    refs={"account": ref("companies", "company"), "opportunity": ref("deals", "deal")},
)  # fmt: skip
DEALS = SinkSpec(
    name="deals", label="Deals", entity="opportunity", stream="deals", refs={"account": "companies"}, batch_size=10,
    fields={
        **written("name", "stage", "amount", "close_date", "payment_status", "invoice_number", "invoiced_amount", "paid_amount"),
        "company": "refs.account",
    },
)  # fmt: skip
COMPANIES = SinkSpec(
    name="companies", label="Companies", entity="account", stream="companies", batch_size=10, deletes=True,
    fields=written("name", "email", "domain", "phone", "tax_id", "payment_risk", "overdue_amount"),
)  # fmt: skip
EMPLOYEES = SinkSpec(
    name="employees", label="Employees", entity="resource", stream="employees", batch_size=10,
    fields=written("name", "email", "status"),
)  # fmt: skip
USAGE = plain("name", "usage_date", "quantity", "unit")
FIGURES = StreamSpec(name="figures", label="Figures", entity="usage_record", fields=USAGE)
FIGURES_SINK = SinkSpec(
    name="figures", label="Figures", entity="usage_record", stream="figures", fields=written(*USAGE), batch_size=10
)
JOURNALS = StreamSpec(
    name="journals", label="Journals", entity="revenue", refs={"account": ref("clients", "client")},
    fields={
        **plain("name", "total", "earned_on", "period_start", "period_end", "lines"), "status": '"recognized"',
        "currency": 'get(record, "total.currency")',
    },
)  # fmt: skip
METER = StreamSpec(
    name="usage", label="Usage", entity="usage_record", refs={"account": ref("clients", "client")},
    fields={**plain("usage_date", "quantity", "unit"), "name": '"Usage"'},
)  # fmt: skip
LEADS = StreamSpec(
    name="leads", label="Leads", entity="opportunity", fields=plain("name", "stage", "amount", "close_date"),
    refs={"account": ref("parties", "party")},
)  # fmt: skip
OFFERS = StreamSpec(
    name="offers", label="Offers", entity="quote", fields=plain("name", "status", "total"),
    refs={"account": ref("parties", "party")},
)  # fmt: skip
COSTS = StreamSpec(
    name="costs", label="Costs", entity="expense",
    fields={**plain("spent_date", "amount", "description"), "status": '"approved"', "billable": "true"},
    refs={"project": ref("projects", "project"), "resource": ref("employees", "employee")},
)  # fmt: skip
JOURNALS_SINK = SinkSpec(
    name="journals", label="Journals", entity="revenue", stream="journals", refs={"account": "clients"}, batch_size=10,
    fields={**written("name", "total", "earned_on", "period_start", "period_end", "lines"), "client": "refs.account"},
)  # fmt: skip
METER_SINK = SinkSpec(
    name="usage", label="Usage", entity="usage_record", stream="usage", refs={"account": "clients"}, required_refs=("account",),
    fields={**written("usage_date", "quantity", "unit"), "client": "refs.account"}, batch_size=10,
)  # fmt: skip
SCHEDULES = StreamSpec(
    name="installments", label="Installments", entity="invoice_schedule",
    fields={**plain("name", "due_date", "amount"), "status": '"planned"'}, refs={"opportunity": ref("deals", "deal")},
)  # fmt: skip
ERP_DEALS_SINK = SinkSpec(
    name="leads", label="Leads", entity="opportunity", stream="leads", refs={"account": "parties"}, batch_size=10,
    fields={**written("name", "stage", "amount", "close_date"), "party": "refs.account"},
)  # fmt: skip
ERP_QUOTES_SINK = SinkSpec(
    name="offers", label="Offers", entity="quote", stream="offers", refs={"account": "parties"}, required_refs=("account",),
    fields={**written("name", "status", "total"), "party": "refs.account"}, batch_size=10,
)  # fmt: skip
ERP_MILESTONES = StreamSpec(
    name="stages", label="Stages", entity="milestone", refs={"project": ref("projects", "project")},
    fields=plain("name", "status", "due_date", "completed_date"),
)  # fmt: skip
ERP_MILESTONES_SINK = SinkSpec(
    name="stages", label="Stages", entity="milestone", stream="stages", refs={"project": "projects"}, batch_size=10,
    fields={**written("name", "status", "due_date", "completed_date"), "project": "refs.project"},
    required_refs=("project",),
)  # fmt: skip
ERP_EXPENSES_SINK = SinkSpec(
    name="costs", label="Costs", entity="expense", stream="costs", refs={"project": "projects", "resource": "employees"}, batch_size=10,
    fields={**written("spent_date", "amount", "description"), "project": "refs.project", "employee": "refs.resource"},
)  # fmt: skip
RECEIPTS_SINK = SinkSpec(
    name="payments", label="Payments", entity="payment", stream="payments", refs={"invoice": "invoices"},
    required_refs=("invoice",), fields={**written("amount", "paid_date"), "invoice": "refs.invoice"}, batch_size=10,
)  # fmt: skip
MILESTONES = StreamSpec(
    name="milestones", label="Milestones", entity="milestone", refs={"project": ref("boards", "board")},
    fields=plain("name", "status", "due_date", "completed_date", "amount"),
)  # fmt: skip
MILESTONES_SINK = SinkSpec(
    name="milestones", label="Milestones", entity="milestone", stream="milestones", refs={"project": "boards"},
    fields={**written("name", "status", "due_date", "completed_date"), "board": "refs.project"},
    required_refs=("project",), batch_size=10,
)  # fmt: skip
CLIENTS = StreamSpec(name="clients", label="Clients", entity="account", fields=plain("name", "email"))
EXPENSES = StreamSpec(
    name="expenses", label="Expenses", entity="expense",
    fields=plain("spent_date", "amount", "status", "billable", "description", "category"),
    refs={"project": ref("boards", "board"), "resource": ref("users", "user")},
)  # fmt: skip
BOARDS = StreamSpec(
    name="boards", label="Boards", entity="project", refs={"account": ref("clients", "client")},
    fields={**plain("name", "code", "budget"), "status": 'coalesce(get(record, "status"), "open")'},
)  # fmt: skip
ISSUES = StreamSpec(
    name="issues", label="Issues", entity="task", fields=plain("name", "status"),
    refs={"project": ref("boards", "board"), "resource": ref("users", "user")},
)  # fmt: skip
MEMBERS = StreamSpec(
    name="members", label="Members", entity="assignment", fields=plain("name", "status"),
    refs={"project": ref("boards", "board"), "resource": ref("users", "user")},
)  # fmt: skip
MEMBERS_SINK = SinkSpec(
    name="members", label="Members", entity="assignment", stream="members", batch_size=10,
    fields={**written("name", "status"), "board": "refs.project", "user": "refs.resource"},
    refs={"project": "boards", "resource": "users"}, required_refs=("project", "resource"),
)  # fmt: skip
PLANS = plain(
    "name", "number", "status", "amount", "quantity", "interval", "start_date", "end_date", "next_billing_date"
)
SUBSCRIPTIONS = StreamSpec(
    name="plans", label="Subscriptions", entity="subscription", fields=PLANS, refs={"account": ref("clients", "client")}
)
SUBSCRIPTIONS_SINK = SinkSpec(
    name="plans", label="Subscriptions", entity="subscription", stream="plans", batch_size=10,
    fields={**written("name", "status", "amount", "quantity", "interval", "start_date"), "client": "refs.account"},
    refs={"account": "clients"}, required_refs=("account",),
)  # fmt: skip
BILLS = StreamSpec(
    name="bills", label="Bills", entity="invoice", fields=INVOICE,
    refs={"account": ref("clients", "account"), "subscription": ref("plans", "plan")},
)  # fmt: skip


def _replaced(streams: tuple[StreamSpec, ...], *own: StreamSpec) -> tuple[StreamSpec, ...]:
    names = {stream.name for stream in own}
    return (*(stream for stream in streams if stream.name not in names), *own)


LIBRARY_VENDORS: dict[str, type[FakeConnector]] = {
    spec.key: connector_type(spec)
    for spec in (
        manifest(
            "fake_crm", Domain.CRM, (*CRM_STREAMS, QUOTES, SCHEDULES),
            (*(s for s in CRM_SINKS if s.name not in ("deals", "companies")), COMPANIES, DEALS),
        ),
        manifest(
            "fake_erp", Domain.ERP, (*ERP_STREAMS, FIGURES, ERP_MILESTONES, LEADS, OFFERS, COSTS),
            (
                *ERP_SINKS, EMPLOYEES, FIGURES_SINK, ERP_DEALS_SINK, ERP_QUOTES_SINK, ERP_MILESTONES_SINK,
                ERP_EXPENSES_SINK, RECEIPTS_SINK,
            ),
            also=(Domain.BILLING,),
        ),
        manifest(
            "fake_delivery", Domain.DELIVERY,
            _replaced(DELIVERY_STREAMS, CLIENTS, BOARDS, ISSUES, MILESTONES, EXPENSES, MEMBERS),
            (*DELIVERY_SINKS, MEMBERS_SINK, MILESTONES_SINK),
        ),
        manifest(
            "fake_billing", Domain.BILLING, _replaced(BILLING_STREAMS, BILLS, SUBSCRIPTIONS, JOURNALS, METER),
            (*BILLING_SINKS, SUBSCRIPTIONS_SINK, JOURNALS_SINK, METER_SINK),
        ),
    )
}  # fmt: skip
