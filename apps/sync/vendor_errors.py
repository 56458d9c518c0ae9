"""What vendors' own error codes mean and what helps: Salesforce's StatusCode, QuickBooks' Fault codes, and the codes that
our connectors give where a vendor has none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    cause: str
    next_step: str


_EXISTS = "Use the one that is there: give both the same name or number, or rename one of them. Then retry."
_SETTING = Explanation(
    "A setting of the connection to {system} is missing: {message}", "Fill it in under the connection, then retry."
)
_GONE = Explanation(
    "The record, or one it refers to, is no longer in {system}.",
    "Restore it there, or correct what refers to it at its source. If it is meant to be gone, this entry can be ignored.",
)
# Only the partner can do something about these.
SETTING_CODES = frozenset({
    "revenue_account", "product", "item", "tax_account", "expense_category", "payment_journal",
})  # fmt: skip
CONNECTOR_CODES: dict[str, Explanation] = {
    **dict.fromkeys(SETTING_CODES, _SETTING),
    "immutable": Explanation(
        "The document is in {system} already, and is not changed there any more: {message}",
        "Correct it in {system} itself, with a credit note where the law asks for one. This entry can be ignored then.",
    ),
    "amounts_differ": Explanation(
        "{system} would come to another total, so nothing was issued: {message}",
        "Compare tax, rounding and currency of the two systems. Correct what differs, then retry.",
    ),
    "currency": Explanation(
        "The currency does not fit {system}: {message}",
        "Allow the currency in {system}, or correct it at the source, then retry.",
    ),
    "not_found": _GONE,
    "transition": Explanation(
        "The workflow in {system} does not allow this step: {message}",
        "Allow the step in the workflow, or move the record by hand. Then retry.",
    ),
}
VENDOR_CODES: dict[tuple[str, str], Explanation] = {
    ("salesforce", "REQUIRED_FIELD_MISSING"): Explanation(
        "{system} demands a field that is empty: {message}",
        "Fill the field in at the source, then retry.",
    ),
    ("salesforce", "FIELD_CUSTOM_VALIDATION_EXCEPTION"): Explanation(
        "A validation rule of this Salesforce org refuses the record: {message}",
        "Correct what the rule asks for, or have a Salesforce administrator relax the rule, then retry.",
    ),
    ("salesforce", "DUPLICATE_VALUE"): Explanation("{system} holds another record with this value: {message}", _EXISTS),
    ("salesforce", "DUPLICATES_DETECTED"): Explanation(
        "A duplicate rule of this Salesforce org found a record like it: {message}", _EXISTS
    ),
    ("salesforce", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"): Explanation(
        "The value is not in the picklist of {system}: {message}",
        "Add the value to the picklist in Salesforce, or correct it at the source, then retry.",
    ),
    ("salesforce", "STRING_TOO_LONG"): Explanation(
        "A text is longer than its field in {system}: {message}", "Shorten it at the source, then retry."
    ),
    ("salesforce", "INSUFFICIENT_ACCESS_OR_READONLY"): Explanation(
        "The user we are connected as may not change this record in {system}.",
        "Give that user the right in Salesforce, then retry.",
    ),
    ("salesforce", "ENTITY_IS_DELETED"): _GONE,
    ("quickbooks", "6240"): Explanation("{system} holds another record with this name: {message}", _EXISTS),
    ("quickbooks", "6140"): Explanation(
        "{system} holds another document with this number: {message}",
        "Look whether the document there is the same one. If not, give one of them another number, then retry.",
    ),
    ("quickbooks", "6210"): Explanation(
        "The date lies in a period whose books are closed in {system}.",
        "Date the document in an open period, or reopen the period in QuickBooks, then retry.",
    ),
    ("quickbooks", "5010"): Explanation(
        "Somebody changed the record in {system} at the same moment.", "Retry: it is written on top of that change."
    ),
    ("quickbooks", "2500"): Explanation(
        "The record refers to something that {system} does not have: {message}",
        "Add what is missing, or correct the reference at the source, then retry.",
    ),
    ("quickbooks", "610"): _GONE,
}


# The record is as it should be; what the firm decided, in its system or its integration, does not let it pass.
_BUSINESS_RULES = frozenset({"immutable", "amounts_differ", "transition"})
_BUSINESS_RULES_OF = frozenset({("salesforce", "FIELD_CUSTOM_VALIDATION_EXCEPTION"), ("quickbooks", "6210")})


def is_business_rule(vendor: str, code: str) -> bool:
    """Whether a refusal with this code is the firm's own rule, and not a wrong value."""
    return code in _BUSINESS_RULES or (vendor, code) in _BUSINESS_RULES_OF


def explain_code(vendor: str, code: str) -> Explanation | None:
    """The words for a vendor's own code; None where the class of the error has to do."""
    return VENDOR_CODES.get((vendor, code)) or CONNECTOR_CODES.get(code)
