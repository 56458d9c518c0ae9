"""What no log may keep of each system's records: bank details, tax numbers, days of birth, pay, links that open documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.connectors.registry import connectors, get_manifest
from apps.connectors.sdk.redaction import MASK
from apps.connectors.services import create_connection
from apps.core.actor import Actor
from apps.customers.selectors import get_environment
from apps.sync.redaction import ALWAYS_HIDDEN, PayloadRules, payload_rules
from tests.connectors.harvest.harness import HarvestHarness
from tests.factories.delivery import make_customer

# Records as the systems show them; every canary is something that must not be kept.
RECORDS: dict[str, dict[str, Any]] = {
    "xero": {
        "Name": "Initech", "TaxNumber": "canary", "BankAccountDetails": "canary",
        "BatchPayments": {"BankAccountNumber": "canary", "BankAccountName": "canary"}, "tax_id": "canary",
    },
    "quickbooks": {
        "DisplayName": "Initech", "PrimaryTaxIdentifier": "canary", "ResaleNum": "canary", "BirthDate": "canary",
        "SSN": "canary", "CostRate": "canary", "CreditCardPayment": {"CreditChargeInfo": {"NameOnAcct": "canary"}},
    },
    "stripe_billing": {
        "name": "Initech", "tax_ids": {"data": [{"value": "canary"}]}, "tax_id": "canary",
        "sources": {"data": [{"last4": "canary", "fingerprint": "canary"}]}, "hosted_invoice_url": "canary",
        "payment_method_details": {"sepa_debit": {"last4": "canary"}}, "invoice_pdf": "canary",
    },
    "chargebee": {
        "company": "Initech", "vat_number": "canary", "card": {"last4": "canary"},
        "bank_account": {"last4": "canary", "name_on_account": "canary"}, "payment_sources": ["canary"],
    },
    "odoo": {"name": "Initech", "vat": "canary", "tax_id": "canary"},
    "tryton": {"name": "Initech", "tax_identifier": {"code": "canary"}, "tax_id": "canary"},
    "connectwise": {"name": "Initech", "taxIdentifier": "canary", "birthDay": "canary", "hourlyCost": "canary"},
    "harvest": {"name": "Initech", "cost_rate": "canary", "default_hourly_rate": "canary"},
    "hubspot": {
        "name": "Initech", "date_of_birth": "canary", "marital_status": "canary", "gender": "canary",
        "hs_quote_link": "canary", "hs_pdf_download_link": "canary", "eu_vat_number": "canary",
    },
    "salesforce": {
        "Name": "Initech", "Birthdate": "canary", "PersonBirthdate": "canary", "Tax_ID__c": "canary", "SSN__c": "canary",
        "VAT_Number__c": "canary", "Bank_Details__c": "canary",
    },
    "pipedrive": {"name": "Initech", "birthday": "canary", "im": ["canary"], "postal_address": {"value": "canary"}},
    "bottlecrm": {"name": "Initech", "public_token": "canary", "public_url": "canary", "tax_id": "canary"},
    "netsuite": {
        "name": "Initech", "vatregnumber": "canary", "socialsecuritynumber": "canary", "birthdate": "canary",
        "laborcost": "canary", "creditcardslist": [{"ccnumber": "canary"}],
    },
    "business_central": {
        "DisplayName": "Initech", "taxRegistrationNumber": "canary", "birthDate": "canary", "personalEmail": "canary",
        "mobilePhone": "canary", "bankAccountNumber": "canary",
    },
    "redmine": {"name": "Initech", "api_key": "canary", "last_login_on": "canary", "twofa_scheme": "canary"},
    "zendesk": {
        "name": "Initech", "authenticity_token": "canary", "last_login_at": "canary", "details": "canary",
        "two_factor_auth_enabled": "canary",
    },
}  # fmt: skip
SHOWN = ("Name", "DisplayName", "name", "company")


def rules_of(vendor: str) -> PayloadRules:
    return PayloadRules(patterns=(*ALWAYS_HIDDEN, *get_manifest(vendor).redact))


@pytest.mark.parametrize("vendor", RECORDS)
def test_a_record_is_kept_without_them(vendor: str) -> None:
    kept = rules_of(vendor).hide_values("account", RECORDS[vendor])

    assert "canary" not in str(kept)
    assert [value for name, value in kept.items() if name in SHOWN] == ["Initech"]


@pytest.mark.parametrize("vendor", RECORDS)
def test_a_change_of_them_shows_that_it_was_one(vendor: str) -> None:
    hidden = {name: ["canary before", value] for name, value in RECORDS[vendor].items() if name not in SHOWN}

    told = rules_of(vendor).hide_diff("account", hidden)

    assert told == {name: [MASK, MASK] for name in hidden}


def test_every_connector_hides_something_or_says_why_not() -> None:
    silent = {key for key, kind in connectors().items() if not kind.manifest.redact}

    assert set(connectors()) - silent == set(RECORDS)
    assert silent == {"asana", "jira"}
    assert all(get_manifest(key).nothing_to_hide for key in silent)


def test_the_rules_hold_for_connections_of_the_system(
    sandbox: Any, partner: object, owner_actor: Actor, now: datetime
) -> None:
    harness, customer = HarvestHarness(sandbox), make_customer("Brightwater")
    environment = get_environment(customer, "production")
    connection = create_connection(
        actor=owner_actor, now=now, environment=environment, vendor="harvest", name="Time",
        settings=harness.settings(), secrets=harness.credentials(valid=True),
    )  # fmt: skip

    rules = payload_rules([connection.pk])[connection.pk]

    assert rules.hide("time_entry", "cost_rate", 55.5) == MASK
    assert rules.hide("time_entry", "hours", 1.25) == 1.25
