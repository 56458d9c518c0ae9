"""What NetSuite offers and what a connection to it needs."""

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
from apps.connectors.vendors.netsuite.mappings import STREAMS
from apps.connectors.vendors.netsuite.targets import SINKS

BASE_URL = "https://system.netsuite.com"
TOKEN_URL = "https://{account}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"  # noqa: S105 - an address

MANIFEST = ConnectorManifest(
    key="netsuite",
    name="NetSuite",
    domain=Domain.ERP,
    also_domains=(Domain.BILLING,),
    description="Customers, contacts, projects, tasks, employees, time, expenses, estimates, invoices and customer payments.",
    evidence=Evidence.SIMULATED,
    evidence_note="REST mechanics from Oracle's help; some record and column names from public clients, as NetSuite's "
    "metadata is made per account. Run against a simulator only, not against a NetSuite account.",
    auth=AuthKind.OAUTH2,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="account",
            label="Account id",
            help="The first part of the address you sign in at, in small letters, e.g. 1234567 or 1234567-sb1.",
        ),
        ConfigField(
            key="time_zone",
            label="Time zone",
            help="The zone of the connecting user, as in Set Preferences.",
            required=False,
            default="America/Los_Angeles",
        ),
        ConfigField(
            key="subsidiary", label="Subsidiary", help="Internal id; needed in OneWorld accounts.", required=False
        ),
        ConfigField(
            key="item", label="Item for invoice lines", help="Internal id of the service item.", required=False
        ),
        ConfigField(
            key="expense_category",
            label="Expense category",
            help="Internal id of the category that new expenses get.",
            required=False,
        ),
        ConfigField(key="base_url", label="API address", kind="url", required=False),
    ),
    oauth2=OAuth2Spec(
        authorize_url=f"{BASE_URL}/app/login/oauth2/authorize.nl",
        token_url=TOKEN_URL,
        scopes=("rest_webservices",),
        token_auth="client_secret_basic",  # noqa: S106 - the name of a method
        # Oracle's help: a refresh token is valid for seven days, used or not.
        unused_days=7,
        machine=MachineAccess(
            grant=Grant.CLIENT_ASSERTION,
            config=(
                ConfigField(key="client_id", label="Consumer key"),
                ConfigField(key="key_id", label="Certificate id"),
                ConfigField(key="private_key", label="Private key", secret=True, kind="multiline"),
            ),
            token_url=TOKEN_URL,
            audience=TOKEN_URL,
            scopes=("rest_webservices",),
            algorithm="PS256",
        ),
    ),
    streams=STREAMS,
    sinks=SINKS,
    # Tax numbers, what people earn and cost, and how customers pay; by the names of NetSuite's records browser.
    redact=(
        "vatregnumber",
        "taxidnum",
        "defaulttaxreg",
        "tax_id",
        "socialsecuritynumber",
        "birthdate",
        "laborcost",
        "payfrequency",
        "creditcard*",
        "ccnumber",
        "ccexpiredate",
    ),
    # The limit is on calls at the same time, 15 for the smallest account, shared with everything else that integrates.
    rate_limit=RateLimit(calls=10, seconds=1.0, concurrent=4),
)
