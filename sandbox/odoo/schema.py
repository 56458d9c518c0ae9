"""The part of Odoo's models that we simulate: field types, what is required, and defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

LOG_ACCESS = {"id": "integer", "create_date": "datetime", "write_date": "datetime"}


@dataclass(frozen=True)
class Model:
    """`fields` maps names to types; relations read "many2one res.partner", "one2many sale.order.line order_id"."""

    fields: dict[str, str]
    required: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)

    def kind(self, name: str) -> str:
        return self.types[name].split(" ")[0]

    def relation(self, name: str) -> list[str]:
        return self.types[name].split(" ")[1:]

    @cached_property
    def types(self) -> dict[str, str]:
        return {**LOG_ACCESS, **self.fields}


def chars(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "char")


COMPANY = {"company_id": "many2one res.company"}
CURRENCY = {"currency_id": "many2one res.currency"}
ACTIVE = {"active": "boolean"}
OURS = {"company_id": 1}
MODELS = {
    "res.company": Model({**chars("name"), **CURRENCY}),
    "res.currency": Model({**chars("name"), **ACTIVE}),
    "res.users": Model({**chars("login", "email", "name"), **COMPANY, **ACTIVE}),
    "ir.model.data": Model({**chars("module", "name", "model"), "res_id": "many2one_reference"}),
    "res.partner": Model(
        {
            **chars("name", "ref", "email", "phone", "website", "vat", "type"), **COMPANY, **ACTIVE,
            "is_company": "boolean", "parent_id": "many2one res.partner",
            "commercial_partner_id": "many2one res.partner",
        },
        required=("name",),
        defaults={"active": True, "type": "contact"},
    ),
    "crm.stage": Model({**chars("name"), "is_won": "boolean"}),
    "crm.lead": Model(
        {
            **chars("name", "type"), **ACTIVE, **COMPANY, "stage_id": "many2one crm.stage",
            "expected_revenue": "monetary", "company_currency": "many2one res.currency", "date_deadline": "date",
            "user_id": "many2one res.users", "partner_id": "many2one res.partner", "probability": "float",
        },
        required=("name", "type"),
        defaults={**OURS, "active": True, "stage_id": 1, "company_currency": 1, "type": "lead", "user_id": 2},
    ),
    "project.project": Model(
        {
            **chars("name"), **ACTIVE, **COMPANY, "last_update_status": "selection", "date_start": "date",
            "date": "date", "partner_id": "many2one res.partner",
        },
        required=("name",),
        defaults={**OURS, "active": True, "last_update_status": "to_define"},
    ),
    "project.task": Model(
        {
            **chars("name"), **ACTIVE, **COMPANY, "state": "selection", "allocated_hours": "float",
            "project_id": "many2one project.project",
        },
        required=("name",),
        defaults={**OURS, "active": True, "state": "01_in_progress"},
    ),
    "hr.employee": Model(
        {**chars("name", "work_email"), **ACTIVE, **COMPANY}, required=("name",), defaults={**OURS, "active": True}
    ),
    "account.analytic.account": Model(chars("name")),
    "account.analytic.line": Model(
        {
            **chars("name"), **COMPANY, "date": "date", "unit_amount": "float", "employee_id": "many2one hr.employee",
            "project_id": "many2one project.project", "task_id": "many2one project.task",
            "timesheet_invoice_id": "many2one account.move", "timesheet_invoice_type": "selection",
        },
        required=("name", "date"),
        defaults={**OURS, "timesheet_invoice_type": "billable_time"},
    ),
    "project.milestone": Model(
        {
            **chars("name"), "deadline": "date", "is_reached": "boolean", "reached_date": "date",
            "project_id": "many2one project.project",
        },
        required=("name", "project_id"),
    ),
    "account.tax": Model(
        {
            **chars("name", "type_tax_use", "amount_type"), **ACTIVE, **COMPANY, "amount": "float",
            "price_include": "boolean",
        }
    ),
    "account.journal": Model({**chars("name", "code", "type"), **COMPANY}),
    "account.move": Model(
        {
            **chars("name", "ref", "move_type"), **CURRENCY, **COMPANY, "state": "selection",
            "payment_state": "selection", "invoice_date": "date", "invoice_date_due": "date",
            "amount_untaxed": "monetary", "amount_tax": "monetary", "amount_total": "monetary",
            "amount_residual": "monetary", "partner_id": "many2one res.partner",
            "commercial_partner_id": "many2one res.partner",
            "invoice_line_ids": "one2many account.move.line move_id",
        },
        defaults={**OURS, "currency_id": 1, "state": "draft", "payment_state": "not_paid"},
    ),
    "account.move.line": Model(
        {
            **chars("name", "display_type"), **COMPANY, "quantity": "float", "price_unit": "float",
            "price_subtotal": "monetary", "sequence": "integer", "tax_ids": "many2many account.tax",
            "product_id": "many2one product.product", "move_id": "many2one account.move",
        },
        # The standard tax of the company, unless the import says otherwise.
        defaults={**OURS, "display_type": "product", "sequence": 10, "quantity": 1.0, "tax_ids": [1]},
    ),
    "account.payment": Model(
        {
            **chars("name", "ref", "payment_type", "partner_type"), **CURRENCY, **COMPANY, "amount": "monetary",
            "date": "date", "state": "selection", "journal_id": "many2one account.journal",
            "partner_id": "many2one res.partner", "reconciled_invoice_ids": "many2many account.move",
        },
        defaults={**OURS, "currency_id": 1, "payment_type": "inbound", "partner_type": "customer", "journal_id": 1},
    ),
    "account.payment.register": Model(
        {
            "amount": "monetary", "payment_date": "date", "communication": "char",
            "journal_id": "many2one account.journal",
        }
    ),
    "product.product": Model({**chars("name", "default_code"), **ACTIVE, **COMPANY}),
    "hr.expense": Model(
        {
            **chars("name"), **CURRENCY, **COMPANY, "date": "date", "total_amount_currency": "monetary",
            "state": "selection", "employee_id": "many2one hr.employee", "product_id": "many2one product.product",
            "sale_order_id": "many2one sale.order", "analytic_distribution": "json",
        },
        required=("name", "employee_id"),
        defaults={**OURS, "currency_id": 1, "state": "draft"},
    ),
    "sale.order": Model(
        {
            **chars("name", "client_order_ref"), **CURRENCY, **COMPANY, "state": "selection", "is_expired": "boolean",
            "date_order": "datetime", "validity_date": "date", "amount_total": "monetary",
            "partner_id": "many2one res.partner", "opportunity_id": "many2one crm.lead",
            "order_line": "one2many sale.order.line order_id",
        },
        required=("partner_id",),
        defaults={**OURS, "currency_id": 1, "state": "draft"},
    ),
    "sale.order.line": Model(
        {
            **chars("name", "display_type"), **COMPANY, "product_uom_qty": "float", "price_unit": "float",
            "price_subtotal": "monetary", "sequence": "integer", "product_id": "many2one product.product",
            "order_id": "many2one sale.order",
        },
        required=("product_id",),
        defaults={**OURS, "sequence": 10, "product_uom_qty": 1.0},
    ),
}  # fmt: skip

# What a version calls by a name of its own.
BY_VERSION: dict[int, dict[str, dict[str, str]]] = {
    17: {
        "project.project": {"analytic_account_id": "many2one account.analytic.account"},
        "sale.order.line": {"tax_id": "many2many account.tax"},
    },
    19: {
        "project.project": {"account_id": "many2one account.analytic.account"},
        "sale.order.line": {"tax_ids": "many2many account.tax"},
        "account.payment": {"memo": "char"},
    },
}


@lru_cache
def model_in(name: str, version: int) -> Model | None:
    found = MODELS.get(name)
    if found is None:
        return None
    fields = {**found.fields, **BY_VERSION[version].get(name, {})}
    if version == 19 and name == "account.payment":
        del fields["ref"]
    return Model(fields, found.required, found.defaults)
