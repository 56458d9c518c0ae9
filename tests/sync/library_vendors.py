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
MILESTONES = StreamSpec(
    name="milestones", label="Milestones", entity="milestone", refs={"project": ref("boards", "board")},
    fields=plain("name", "status", "due_date", "completed_date", "amount"),
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
            "fake_crm", Domain.CRM, (*CRM_STREAMS, QUOTES),
            (*(s for s in CRM_SINKS if s.name not in ("deals", "companies")), COMPANIES, DEALS),
        ),
        manifest(
            "fake_erp", Domain.ERP, (*ERP_STREAMS, FIGURES), (*ERP_SINKS, EMPLOYEES, FIGURES_SINK), also=(Domain.BILLING,)
        ),
        manifest(
            "fake_delivery", Domain.DELIVERY,
            _replaced(DELIVERY_STREAMS, CLIENTS, BOARDS, ISSUES, MILESTONES, EXPENSES, MEMBERS),
            (*DELIVERY_SINKS, MEMBERS_SINK),
        ),
        manifest(
            "fake_billing", Domain.BILLING, _replaced(BILLING_STREAMS, BILLS, SUBSCRIPTIONS),
            (*BILLING_SINKS, SUBSCRIPTIONS_SINK),
        ),
    )
}  # fmt: skip
