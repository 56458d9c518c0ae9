"""Settings of an integration as a person or the API gives them, checked against the template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.core.money import Money
from apps.flows.definition import SettingSpec

LARGEST = 10**15
LONGEST_TEXT = 2000
_CURRENCY = re.compile("[A-Z]{3}")


class InvalidSetting(ValueError):
    """`key` names the setting; the message is for the person who filled it in."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def clean_settings(specs: list[SettingSpec], given: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Every setting of the template with its value or default. Raises InvalidSetting."""
    unknown = sorted(set(given) - {spec.key for spec in specs})
    if unknown:
        raise InvalidSetting(unknown[0], "There is no such setting.")
    return {spec.key: _clean(spec, given.get(spec.key), currency) for spec in specs}


def _clean(spec: SettingSpec, value: Any, currency: str) -> Any:
    if value is None or value == "":
        if spec.required and spec.default in (None, ""):
            raise InvalidSetting(spec.key, f"{spec.label} is needed.")
        return spec.default
    if spec.type == "integer":
        return _integer(spec, value)
    if spec.type == "boolean":
        return value in (True, "true", "on", "1")
    if spec.type == "money":
        return _money(spec, value, currency)
    if spec.type == "choice" and value not in spec.choices:
        raise InvalidSetting(spec.key, f"Choose one of: {', '.join(spec.choices)}.")
    text = str(value)
    if len(text) > LONGEST_TEXT:
        raise InvalidSetting(spec.key, f"Enter at most {LONGEST_TEXT:,} characters.")
    return text


def _integer(spec: SettingSpec, value: Any) -> int:
    try:
        found = int(str(value))
    except ValueError:
        raise InvalidSetting(spec.key, "Enter a whole number.") from None
    if abs(found) > LARGEST:
        raise InvalidSetting(spec.key, "Enter a smaller number.")
    return found


def _money(spec: SettingSpec, value: Any, currency: str) -> dict[str, Any]:
    """`{"amount": minor units, "currency"}` as it is, or "120.00" in the customer's currency."""
    if isinstance(value, dict) and type(value.get("amount")) is int and isinstance(value.get("currency"), str):
        found = Money(value["amount"], value["currency"])
    else:
        try:
            found = Money.from_decimal(Decimal(str(value).strip()), currency)
        except (ArithmeticError, ValueError):  # 1e999999 overflows, which is no InvalidOperation
            raise InvalidSetting(spec.key, "Enter an amount, for example 120.00.") from None
    if abs(found.amount) > LARGEST or not _CURRENCY.fullmatch(found.currency):
        raise InvalidSetting(spec.key, "Enter a smaller amount, in a currency such as EUR.")
    return {"amount": found.amount, "currency": found.currency}
