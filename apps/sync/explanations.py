"""Failures in plain language: what happened, and what to do next."""

from __future__ import annotations

from dataclasses import replace

from apps.sync.models import ErrorClass, RecordFailure
from apps.sync.vendor_errors import CONNECTOR_CODES, Explanation, explain_code

__all__ = ["Explanation", "explain_failure", "explain_to_customer", "refused_field", "shown_code"]

_BY_CLASS: dict[str, Explanation] = {
    ErrorClass.AUTH: Explanation(
        "{system} does not accept our access any more.",
        "Re-authorize the connection. Everything that waited goes through by itself afterwards.",
    ),
    ErrorClass.RATE_LIMIT: Explanation(
        "{system} asked us to slow down.", "Nothing to do: the work is put off, not lost."
    ),
    ErrorClass.VALIDATION: Explanation(
        "{system} refused the record: {message}",
        "Correct the record where it is led, or the setting in {system} that forbids it, then retry.",
    ),
    ErrorClass.MAPPING: Explanation(
        "A value cannot be taken over: {message}",
        "Correct the value at its source. If it is right there, the mapping or a setting has to change.",
    ),
    ErrorClass.MISSING_REFERENCE: Explanation(
        "The record refers to something that is not there: {message}",
        "Nothing, if that is on its way: it is tried again with every run. Otherwise add the missing link at its source.",
    ),
    ErrorClass.CONFLICT: Explanation(
        "Two systems disagree about this record: {message}", "Decide which value is right and enter it in one of them."
    ),
    ErrorClass.VENDOR_DOWN: Explanation(
        "{system} could not be reached.", "Nothing to do unless it lasts: the work is tried again by itself."
    ),
    ErrorClass.BUSINESS_RULE: Explanation(
        "A rule of the business does not let the record pass: {message}",
        "Give the record what the rule asks for, or have the rule changed where it is set; then retry.",
    ),
    ErrorClass.UNCERTAIN: Explanation(
        "{system} did not answer whether it made the record, and cannot be asked.",
        "Look for the record in {system}. If it is missing, retry; if it is there, ignore this entry.",
    ),
    ErrorClass.INTERNAL: Explanation("Something went wrong on our side: {message}", "Our team has to look at it."),
}
# More exact words where the code says more than the class.
_BY_CODE: dict[str, Explanation] = {
    "other_object": Explanation(
        "{message}. Nothing was taken over from it.",
        "Look for both in {system}. If this record is missing or not as it should be, retry; if it is there, ignore this "
        "entry.",
    ),
    "demand": Explanation(
        "{message}",
        "Enter what is missing where the record is led, or in the integration's settings; it then goes through by itself.",
    ),
    "invoiced_time": Explanation(
        "{message}",
        "Correct the invoice or write a credit note in the billing system, then settle this entry; or put the time back.",
    ),
    "same_or_not": Explanation(
        "{message}", "Say under Stewardship whether the two are the same; the record then goes through by itself."
    ),
    "no_account": Explanation(
        "The record has no company, and {system} demands one.",
        "Link the company to the deal or project; the record then goes through by itself.",
    ),
    "missing_resource": Explanation(
        "{message}", "Add the person in {system} with the same e-mail address; the time then goes through by itself."
    ),
    "rate": Explanation(
        "{message}", "Add the rate to the integration's settings; the time is then invoiced by itself."
    ),
}


# Failures that no system answered with: their codes are ours, and nobody can look them up.
_OURS = frozenset({ErrorClass.MAPPING, ErrorClass.MISSING_REFERENCE, ErrorClass.CONFLICT, ErrorClass.UNCERTAIN})
_OUR_CODES = frozenset({*_BY_CODE, *CONNECTOR_CODES, "rule", "filter", "aggregate", "unreadable", "unkeepable"})

# Those that a customer's own people can follow.
CUSTOMER_CODES = frozenset({"no_account", "missing_resource"})


def explain_failure(failure: RecordFailure) -> Explanation:
    """Cause and next step for a person who did not build the integration."""
    vendors = explain_code(failure.connection.vendor, failure.code)
    return _in_words(_BY_CODE.get(failure.code) or vendors or _BY_CLASS[failure.error_class], failure)


def explain_to_customer(failure: RecordFailure) -> Explanation | None:
    """What the code says to the customer whose record it is; None where only the class is known."""
    own = _BY_CODE[failure.code] if failure.code in CUSTOMER_CODES else None
    known = own or explain_code(failure.connection.vendor, failure.code)
    return _in_words(known, failure) if known else None


def shown_code(failure: RecordFailure) -> str:
    """The system's own code, to look up; ours are told by the explanation."""
    return "" if failure.code in _OUR_CODES or failure.error_class in _OURS else failure.code


def refused_field(failure: RecordFailure) -> str:
    """The field whose value could not be taken over, as it is stored: a mapping's failure has it for a code."""
    return failure.code if failure.error_class == ErrorClass.MAPPING and failure.code not in _OUR_CODES else ""


def _in_words(found: Explanation, failure: RecordFailure) -> Explanation:
    """The explanation about this failure."""
    words = {"system": failure.connection.name, "message": failure.message.rstrip(".")}
    cause, next_step = (_sentence(text.format(**words)) for text in (found.cause, found.next_step))
    return replace(found, cause=cause, next_step=next_step)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
