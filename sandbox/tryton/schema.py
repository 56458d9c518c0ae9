"""The part of Tryton's model we simulate: labels, fields, relations, and what is required."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Model:
    """`one` names the model behind a many2one, `many` the model and its field that points back here."""

    label: str
    plain: tuple[str, ...] = ()
    one: dict[str, str] = field(default_factory=dict)
    many: dict[str, tuple[str, str]] = field(default_factory=dict)
    computed: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()

    @property
    def fields(self) -> set[str]:
        own = {*self.plain, *self.one, *self.many, *self.computed, *self.readonly}
        return own | {"id", "create_date", "write_date"}


COMPANY = {"company": "company.company"}
MODELS = {
    "party.party": Model(
        "Party",
        plain=("name", "active", "account_receivable"),
        many={
            "addresses": ("party.address", "party"),
            "identifiers": ("party.identifier", "party"),
            "contact_mechanisms": ("party.contact_mechanism", "party"),
        },
        one={"tax_identifier": "party.identifier"},
        computed=("email", "phone", "website"),
        readonly=("code",),
    ),
    "party.address": Model("Address", plain=("party_name",), one={"party": "party.party"}),
    "party.identifier": Model("Party Identifier", plain=("type", "code"), one={"party": "party.party"}, required=("code",)),
    "party.contact_mechanism": Model(
        "Contact Mechanism", plain=("type", "value"), one={"party": "party.party"}, required=("type",)
    ),
    "company.company": Model("Company", one={"party": "party.party", "currency": "currency.currency"}),
    "company.employee": Model(
        "Employee", plain=("start_date", "end_date", "active"), one={"party": "party.party", **COMPANY}
    ),
    "currency.currency": Model("Currency", plain=("code", "digits")),
    "project.work.status": Model("Work Status", plain=("name", "types", "progress", "default")),
    "project.work": Model(
        "Project Work",
        plain=("name", "type", "comment", "effort_duration", "progress", "timesheet_available"),
        one={"party": "party.party", "parent": "project.work", "status": "project.work.status", **COMPANY},
        required=("company", "name"),
        computed=("path",),
        readonly=("number",),
    ),
    "timesheet.work": Model("Timesheet Work", plain=("origin", "name"), one=COMPANY),
    "timesheet.line": Model(
        "Timesheet Line",
        plain=("date", "duration", "description"),
        one={"employee": "company.employee", "work": "timesheet.work", **COMPANY},
        required=("company", "employee", "date", "duration", "work"),
        readonly=("uuid",),
    ),
    "ir.model": Model("Model", plain=("name",)),
    "sale.sale": Model(
        "Sale",
        plain=("reference", "description", "quotation_date", "quotation_expire", "sale_date"),
        one={"party": "party.party", "currency": "currency.currency", **COMPANY},
        many={"lines": ("sale.line", "sale")},
        computed=("untaxed_amount", "tax_amount", "total_amount"),
        required=("company", "party", "currency"),
        readonly=("number", "state"),
    ),
    "sale.line": Model(
        "Sale Line",
        plain=("type", "description", "quantity", "unit_price"),
        one={"sale": "sale.sale"},
        computed=("amount", "summary"),
    ),
    "sale.subscription": Model(
        "Subscription",
        plain=("reference", "description", "start_date", "end_date", "next_invoice_date"),
        one={
            "party": "party.party", "currency": "currency.currency",
            "invoice_recurrence": "sale.subscription.recurrence.rule.set", **COMPANY,
        },
        required=("company", "party", "currency", "start_date", "invoice_recurrence"),
        readonly=("number", "state"),
    ),
    "sale.subscription.recurrence.rule.set": Model("Recurrence Rule Set", plain=("name",)),
    "ir.model.log": Model("Log", plain=("event", "resource")),
    "account.account.type": Model("Account Type", plain=("revenue", "receivable")),
    "account.account": Model(
        "Account", plain=("code", "name", "closed"), one={"type": "account.account.type", **COMPANY}
    ),
    "account.journal": Model("Journal", plain=("name", "code", "type")),
    "account.configuration": Model("Account Configuration", plain=("default_account_receivable",)),
    "account.move": Model("Account Move", plain=("number",), one={"journal": "account.journal", **COMPANY}),
    "account.move.line": Model(
        "Account Move Line",
        plain=("date", "credit", "debit", "amount_second_currency", "description", "maturity_date"),
        one={"move": "account.move", "second_currency": "currency.currency", "invoice_payment": "account.invoice"},
    ),
    "account.invoice": Model(
        "Account Invoice",
        plain=("type", "reference", "description", "comment", "invoice_date", "payment_term_date"),
        one={
            "party": "party.party", "invoice_address": "party.address", "currency": "currency.currency",
            "journal": "account.journal", "account": "account.account", **COMPANY,
        },
        many={
            "lines": ("account.invoice.line", "invoice"),
            "taxes": ("account.invoice.tax", "invoice"),
            "lines_to_pay": ("account.move.line", "invoice_to_pay"),
        },
        computed=("untaxed_amount", "tax_amount", "total_amount", "amount_to_pay"),
        required=("company", "party", "invoice_address", "currency", "journal", "account"),
        readonly=("number", "state"),
    ),
    "account.invoice.line": Model(
        "Account Invoice Line",
        plain=("type", "description", "quantity", "unit_price", "note"),
        one={"invoice": "account.invoice", "account": "account.account", "currency": "currency.currency", **COMPANY},
        computed=("amount",),
    ),
    "account.invoice.tax": Model(
        "Account Invoice Tax",
        plain=("description", "base", "amount", "manual"),
        one={"invoice": "account.invoice", "account": "account.account"},
    ),
}  # fmt: skip
