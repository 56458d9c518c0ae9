"""What Odoo offers and how its objects read in canonical words."""

from __future__ import annotations

from apps.connectors.sdk.manifest import AuthKind, ConfigField, ConnectorManifest, Domain, Evidence, RateLimit
from apps.connectors.vendors.odoo.mappings import STREAMS
from apps.connectors.vendors.odoo.targets import SINKS

CONFIG = (
    ConfigField(
        key="base_url", label="Address", kind="url", help="Where you sign in to Odoo, e.g. https://mycompany.odoo.com"
    ),
    ConfigField(
        key="database",
        label="Database",
        help="Needed up to Odoo 18; from 19 on only where one server holds several databases.",
        required=False,
    ),
    ConfigField(
        key="login",
        label="Login",
        help="Only for Odoo 18 and before: the name of the user whose key this is. Leave empty from Odoo 19 on.",
        required=False,
    ),
    ConfigField(
        key="api_key",
        label="API key",
        help="In Odoo: Preferences, Account Security, New API Key. From Odoo 19 on a key lives three months at most.",
        secret=True,
    ),
    ConfigField(
        key="company", label="Company number", help="Empty: the company that the user works in.", required=False
    ),
    ConfigField(
        key="product",
        label="Product for positions",
        help="Internal reference of the service that quote and invoice lines are booked on; quotes need one.",
        required=False,
    ),
    ConfigField(
        key="expense_product",
        label="Expense category",
        help="Internal reference of the category that new expenses get.",
        required=False,
    ),
    ConfigField(
        key="payment_journal",
        label="Payment journal",
        help="Short code of the journal that payments are registered in; empty: Odoo's first.",
        required=False,
    ),
)

MANIFEST = ConnectorManifest(
    key="odoo",
    name="Odoo",
    domain=Domain.ERP,
    also_domains=(Domain.CRM, Domain.BILLING),
    description="Companies, contacts, opportunities, projects, tasks, timesheets, expenses, milestones, quotes, customer "
    "invoices and payments of Odoo 17 and later.",
    evidence=Evidence.SIMULATED,
    evidence_note="Written against Odoo's published sources (the JSON-RPC and JSON-2 controllers, the import, the models) "
    "and run against a simulator of both. Not run against an Odoo server.",
    auth=AuthKind.API_KEY,
    base_url="",
    config=CONFIG,
    streams=STREAMS,
    sinks=SINKS,
    # Tax numbers; nothing else of that kind is read.
    redact=("vat", "tax_id"),
    # Self-hosted servers name no limit, hosted ones none in public; this keeps people at their screens from waiting.
    rate_limit=RateLimit(calls=10, seconds=1.0, concurrent=2),
)
