"""What Business Central offers and how its entities read in canonical words."""

from __future__ import annotations

from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Domain,
    Evidence,
    Grant,
    MachineAccess,
    OAuth2Spec,
    RateLimit,
)
from apps.connectors.vendors.business_central.api import BASE_URL
from apps.connectors.vendors.business_central.mappings import STREAMS
from apps.connectors.vendors.business_central.targets import SINKS

LOGIN = "https://login.microsoftonline.com"

MANIFEST = ConnectorManifest(
    key="business_central",
    name="Dynamics 365 Business Central",
    domain=Domain.ERP,
    also_domains=(Domain.BILLING,),
    description="Customers, contacts, projects, employees, time entries, sales invoices, quotes and customer payments.",
    evidence=Evidence.SIMULATED,
    evidence_note="Written from Microsoft's published reference of API v2.0 and run against a simulator of it. Not run "
    "against a Business Central environment.",
    auth=AuthKind.OAUTH2,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="environment",
            label="Environment",
            help="The environment's name as in the admin center, e.g. Production.",
            default="Production",
        ),
        ConfigField(
            key="tenant",
            label="Directory (tenant) id",
            help="From Microsoft Entra. Needed for access without a person's consent.",
            required=False,
        ),
        ConfigField(
            key="company", label="Company", help="Only where the environment has several companies.", required=False
        ),
        ConfigField(
            key="revenue_account",
            label="Revenue account",
            help="Number of the ledger account that invoice and quote lines are booked on.",
            required=False,
        ),
        ConfigField(
            key="payment_journal",
            label="Payment journal",
            help="Code of the customer payment journal; empty: the first.",
            required=False,
        ),
        ConfigField(key="base_url", label="API address", kind="url", required=False, default=BASE_URL),
    ),
    oauth2=OAuth2Spec(
        authorize_url=f"{LOGIN}/common/oauth2/v2.0/authorize",
        token_url=f"{LOGIN}/common/oauth2/v2.0/token",
        scopes=(f"{BASE_URL}/user_impersonation", "offline_access"),
        machine=MachineAccess(
            grant=Grant.CLIENT_CREDENTIALS,
            config=(
                ConfigField(key="client_id", label="Application (client) id"),
                ConfigField(key="client_secret", label="Client secret", secret=True),
            ),
            token_url=f"{LOGIN}/{{tenant}}/oauth2/v2.0/token",
            scopes=(f"{BASE_URL}/.default",),
        ),
    ),
    streams=STREAMS,
    sinks=SINKS,
    # By the names of API v2.0: tax numbers of customers, days of birth and private addresses of employees.
    redact=(
        "taxregistrationnumber",
        "tax_id",
        "birthdate",
        "personalemail",
        "mobilephone",
        "employmentdate",
        "terminationdate",
        "bankaccount*",
    ),
    # Microsoft publishes 6,000 requests in five minutes per environment and user, and five at once.
    rate_limit=RateLimit(calls=500, seconds=30, concurrent=4),
)
