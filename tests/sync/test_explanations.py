"""Every failure is told in plain words with a next step, the vendor's own code where we know it."""

from __future__ import annotations

import pytest

from apps.connectors.models import Connection
from apps.connectors.registry import connectors
from apps.connectors.sdk.errors import RecordRejected
from apps.sync.engine.errors import classify
from apps.sync.explanations import refused_field, shown_code
from apps.sync.models import ErrorClass, RecordFailure
from apps.sync.selectors import explain_failure
from apps.sync.vendor_errors import VENDOR_CODES


def failure(
    vendor: str, code: str, error_class: str = ErrorClass.VALIDATION, message: str = "Odd {brace}."
) -> RecordFailure:
    return RecordFailure(
        connection=Connection(vendor=vendor, name="Main"), code=code, error_class=error_class, message=message
    )


@pytest.mark.parametrize(
    ("vendor", "code", "cause"),
    [
        ("quickbooks", "6240", "Main holds another record with this name: Odd {brace}."),
        ("xero", "6240", "Main refused the record: Odd {brace}."),
        ("salesforce", "DUPLICATE_VALUE", "Main holds another record with this value: Odd {brace}."),
        ("hubspot", "MISSING_SCOPES", "Our access to Main lacks a permission: Odd {brace}."),
        (
            "netsuite",
            "USER_ERROR",
            "A form, workflow or script of this NetSuite account refuses the record: Odd {brace}.",
        ),
        ("chargebee", "USER_ERROR", "Main refused the record: Odd {brace}."),
        ("tryton", "required", "Main demands something that the record does not have: Odd {brace}."),
        ("odoo", "immutable", "The document is in Main already, and is not changed there any more: Odd {brace}."),
        ("odoo", "", "Main refused the record: Odd {brace}."),
        ("redmine", "invoiced_time", "Odd {brace}."),
    ],
)
def test_the_most_exact_words_win(vendor: str, code: str, cause: str) -> None:
    assert explain_failure(failure(vendor, code)).cause == cause


@pytest.mark.parametrize("error_class", ErrorClass.values)
def test_every_class_has_words_and_a_step(error_class: str) -> None:
    explained = explain_failure(failure("odoo", "", error_class))

    assert (explained.cause[-1], explained.next_step[-1]) == (".", ".")
    assert "{system}" not in explained.cause + explained.next_step


@pytest.mark.parametrize(
    ("vendor", "code", "error_class"),
    [
        ("salesforce", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "business_rule"),
        ("quickbooks", "6210", "business_rule"),
        ("xero", "6210", "validation"),
        ("odoo", "immutable", "business_rule"),
        ("salesforce", "STRING_TOO_LONG", "validation"),
        ("odoo", "odoo.exceptions.UserError", "business_rule"),
        ("chargebee", "duplicate_entry", "validation"),
    ],
)
def test_what_a_firm_decided_is_told_from_a_wrong_value(vendor: str, code: str, error_class: str) -> None:
    assert classify(RecordRejected("Odd", code=code), vendor) == error_class


def test_codes_are_of_vendors_that_we_connect() -> None:
    assert {vendor for vendor, _ in VENDOR_CODES} <= set(connectors())


@pytest.mark.parametrize(
    ("code", "error_class", "shown", "field"),
    [
        ("FIELD_INTEGRITY_EXCEPTION", ErrorClass.VALIDATION, "FIELD_INTEGRITY_EXCEPTION", ""),
        ("required", ErrorClass.VALIDATION, "", ""),
        ("duration_seconds", ErrorClass.MAPPING, "", "duration_seconds"),
        ("rule", ErrorClass.MAPPING, "", ""),
        ("missing_project", ErrorClass.MISSING_REFERENCE, "", ""),
        ("", ErrorClass.MAPPING, "", ""),
    ],
)
def test_only_a_systems_own_code_is_shown_as_one(code, error_class, shown, field):
    refused = failure("salesforce", code, error_class)

    assert (shown_code(refused), refused_field(refused)) == (shown, field)
