"""What vendors' own error codes mean and what helps, and the codes that our connectors give where a vendor has none.

They are Salesforce's StatusCode, QuickBooks' Fault codes, HubSpot's category, Stripe's code, Chargebee's api_error_code,
Odoo's exceptions, NetSuite's o:errorCode, and Business Central's and Zendesk's error codes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """`is_rule`: the record is as it should be; what the firm decided, in its system or its integration, does not let it pass."""

    cause: str
    next_step: str
    is_rule: bool = False


_EXISTS = "Use the one that is there: give both the same name or number, or rename one of them. Then retry."
_SETTING = Explanation(
    "A setting of the connection to {system} is missing: {message}", "Fill it in under the connection, then retry."
)
_GONE = Explanation(
    "The record, or one it refers to, is no longer in {system}.",
    "Restore it there, or correct what refers to it at its source. If it is meant to be gone, this entry can be ignored.",
)
_ISSUED = Explanation(
    "The document is in {system} already, and is not changed there any more: {message}",
    "Correct it in {system} itself, with a credit note where the law asks for one. This entry can be ignored then.",
    is_rule=True,
)
# Only the partner can do something about these.
SETTING_CODES = frozenset({
    "revenue_account", "product", "item", "tax_account", "expense_category", "payment_journal",
})  # fmt: skip
CONNECTOR_CODES: dict[str, Explanation] = {
    **dict.fromkeys(SETTING_CODES, _SETTING),
    "immutable": _ISSUED,
    "amounts_differ": Explanation(
        "{system} would come to another total, so nothing was issued: {message}",
        "Compare tax, rounding and currency of the two systems. Correct what differs, then retry.",
        is_rule=True,
    ),
    "currency": Explanation(
        "The currency does not fit {system}: {message}",
        "Allow the currency in {system}, or correct it at the source, then retry.",
    ),
    "not_found": _GONE,
    "required": Explanation(
        "{system} demands something that the record does not have: {message}", "Fill it in at the source, then retry."
    ),
    "referred_to": Explanation(
        "Other records in {system} belong to it, so it cannot be removed: {message}",
        "Remove those in {system} first, or keep the record: then this entry can be ignored.",
    ),
    "no_meter": Explanation(
        "{system} has nothing under which this usage is counted: {message}",
        "Set the meter up in {system}, or name another one in the integration's settings. Then retry.",
    ),
    "transition": Explanation(
        "The workflow in {system} does not allow this step: {message}",
        "Allow the step in the workflow, or move the record by hand. Then retry.",
        is_rule=True,
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
        is_rule=True,
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
        is_rule=True,
    ),
    ("quickbooks", "5010"): Explanation(
        "Somebody changed the record in {system} at the same moment.", "Retry: it is written on top of that change."
    ),
    ("quickbooks", "2500"): Explanation(
        "The record refers to something that {system} does not have: {message}",
        "Add what is missing, or correct the reference at the source, then retry.",
    ),
    ("quickbooks", "610"): _GONE,
    ("hubspot", "OBJECT_NOT_FOUND"): _GONE,
    ("hubspot", "CONFLICT"): Explanation("{system} holds another record with this value: {message}", _EXISTS),
    ("hubspot", "MISSING_SCOPES"): Explanation(
        "Our access to {system} lacks a permission: {message}",
        "Add the scope to the app in HubSpot, then re-authorize the connection. What waited goes through by itself.",
    ),
    ("stripe_billing", "resource_missing"): _GONE,
    ("stripe_billing", "email_invalid"): Explanation(
        "{system} takes no invoice address like this one: {message}",
        "Correct the e-mail address at the source, then retry.",
    ),
    ("stripe_billing", "invoice_not_editable"): _ISSUED,
    ("chargebee", "resource_not_found"): _GONE,
    ("chargebee", "duplicate_entry"): Explanation("{system} holds another record with this id: {message}", _EXISTS),
    ("chargebee", "invalid_state_for_request"): Explanation(
        "{system} does not allow this in the state the record is in: {message}",
        "Bring it into a state that allows it in {system} and retry, or correct it there by hand and ignore this entry.",
        is_rule=True,
    ),
    ("odoo", "odoo.exceptions.MissingError"): _GONE,
    ("odoo", "odoo.exceptions.ValidationError"): Explanation(
        "A rule of this Odoo refuses the record: {message}",
        "Correct what the rule asks for, or have an Odoo administrator relax the rule, then retry.",
        is_rule=True,
    ),
    ("odoo", "odoo.exceptions.UserError"): Explanation(
        "{system} does not allow this as it is set up: {message}",
        "Do what the message asks in Odoo, or correct the record at its source, then retry.",
        is_rule=True,
    ),
    ("netsuite", "NONEXISTENT_ID"): _GONE,
    ("netsuite", "INVALID_KEY_OR_REF"): Explanation(
        "The record refers to something that {system} does not have: {message}",
        "Add what is missing, or correct the reference at the source, then retry.",
    ),
    ("netsuite", "USER_ERROR"): Explanation(
        "A form, workflow or script of this NetSuite account refuses the record: {message}",
        "Correct what it asks for, or have a NetSuite administrator change it, then retry.",
        is_rule=True,
    ),
    ("business_central", "Internal_EntityWithSameKeyExists"): Explanation(
        "{system} holds another record with this number: {message}", _EXISTS
    ),
    ("business_central", "BadRequest_ResourceNotFound"): _GONE,
    ("business_central", "Request_EntityChanged"): Explanation(
        "Somebody changed the record in {system} at the same moment.", "Retry: it is written on top of that change."
    ),
    ("business_central", "Application_DialogException"): Explanation(
        "{system} does not allow this as it is set up: {message}",
        "Do what the message asks in Business Central (posting groups and number series are the usual ones), then retry.",
        is_rule=True,
    ),
    ("zendesk", "RecordInvalid"): Explanation(
        "A rule of this Zendesk refuses the record: {message}",
        "Fill in or correct the named field at the source, or change the rule in Zendesk. Then retry.",
    ),
    ("zendesk", "RecordNotFound"): _GONE,
}


def is_business_rule(vendor: str, code: str) -> bool:
    """Whether a refusal with this code is the firm's own rule, and not a wrong value."""
    known = explain_code(vendor, code)
    return known is not None and known.is_rule


def explain_code(vendor: str, code: str) -> Explanation | None:
    """The words for a vendor's own code; None where the class of the error has to do."""
    return VENDOR_CODES.get((vendor, code)) or CONNECTOR_CODES.get(code)
