"""Which Odoo records stand behind each object, and which fields are read. Fields an Odoo does not have are left out."""

from __future__ import annotations

from typing import Any

import msgspec

Domain = list[Any]


class OdooObject(msgspec.Struct, frozen=True, kw_only=True):
    """`party` names the field whose partner is split into account (a company) and contact (a person).

    `lines` is the one2many with the positions. `gone` are the states in which a record no longer counts.
    """

    model: str
    fields: tuple[str, ...]
    domain: Domain = []
    party: str = ""
    lines: str = ""
    gone: frozenset[str] = frozenset()


OBJECTS: dict[str, OdooObject] = {
    "companies": OdooObject(
        model="res.partner",
        fields=("name", "ref", "email", "phone", "website", "vat", "active"),
        domain=[["is_company", "=", True]],
    ),
    "people": OdooObject(
        model="res.partner",
        fields=("name", "email", "phone", "active", "commercial_partner_id"),
        # Delivery and invoice addresses are partners too, mostly without a name.
        domain=[["is_company", "=", False], ["type", "=", "contact"]],
        party="commercial_partner_id",
    ),
    "opportunities": OdooObject(
        model="crm.lead",
        fields=(
            "name", "active", "stage_id", "expected_revenue", "company_currency", "date_deadline", "user_id",
            "partner_id",
        ),
        domain=[["type", "=", "opportunity"]],
        party="partner_id",
    ),
    "projects": OdooObject(
        model="project.project",
        fields=("name", "active", "last_update_status", "date_start", "date", "partner_id"),
        party="partner_id",
    ),
    "tasks": OdooObject(
        model="project.task",
        fields=("name", "active", "state", "allocated_hours", "project_id"),
        domain=[["project_id", "!=", False]],
    ),
    "employees": OdooObject(model="hr.employee", fields=("name", "work_email", "active")),
    "timesheets": OdooObject(
        model="account.analytic.line",
        fields=(
            "name", "date", "unit_amount", "employee_id", "project_id", "task_id", "timesheet_invoice_id",
            "timesheet_invoice_type", "validated",
        ),
        domain=[["project_id", "!=", False]],
    ),
    "milestones": OdooObject(
        model="project.milestone", fields=("name", "deadline", "is_reached", "reached_date", "project_id")
    ),
    "invoices": OdooObject(
        model="account.move",
        fields=(
            "name", "ref", "state", "payment_state", "invoice_date", "invoice_date_due", "currency_id",
            "amount_untaxed", "amount_tax", "amount_total", "amount_residual", "commercial_partner_id",
            "invoice_line_ids",
        ),
        domain=[["move_type", "=", "out_invoice"]],
        party="commercial_partner_id",
        lines="invoice_line_ids",
    ),
    "payments": OdooObject(
        model="account.payment",
        # The memo is `ref` up to 17 and `memo` from 18 on.
        fields=("name", "amount", "currency_id", "date", "state", "ref", "memo", "journal_id", "reconciled_invoice_ids"),
        domain=[["payment_type", "=", "inbound"], ["partner_type", "=", "customer"]],
        gone=frozenset({"draft", "cancel", "canceled", "rejected"}),
    ),
    "expenses": OdooObject(
        model="hr.expense",
        fields=(
            "name", "date", "total_amount_currency", "currency_id", "state", "employee_id", "product_id",
            "sale_order_id", "analytic_distribution",
        ),
    ),
    "quotes": OdooObject(
        model="sale.order",
        fields=(
            "name", "client_order_ref", "state", "is_expired", "date_order", "validity_date", "currency_id",
            "amount_total", "partner_id", "opportunity_id", "order_line",
        ),
        party="partner_id",
        lines="order_line",
    ),
}  # fmt: skip

# The model, amounts and kind of the positions of a document. Headings and notes are lines too.
LINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "invoice_line_ids": (
        "account.move.line", ("name", "quantity", "price_unit", "price_subtotal", "display_type", "sequence"),
    ),
    "order_line": (
        "sale.order.line", ("name", "product_uom_qty", "price_unit", "price_subtotal", "display_type", "sequence"),
    ),
}  # fmt: skip
