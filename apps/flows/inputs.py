"""Settings of an integration as a person or the API gives them, checked against the template."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.core.money import Money
from apps.flows.definition import SettingSpec


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
    return str(value)


def _integer(spec: SettingSpec, value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise InvalidSetting(spec.key, "Enter a whole number.") from None


def _money(spec: SettingSpec, value: Any, currency: str) -> dict[str, Any]:
    """`{"amount": minor units, "currency"}` as it is, or "120.00" in the customer's currency."""
    if isinstance(value, dict) and isinstance(value.get("amount"), int) and isinstance(value.get("currency"), str):
        return {"amount": value["amount"], "currency": value["currency"]}
    try:
        found = Money.from_decimal(Decimal(str(value).strip()), currency)
    except (InvalidOperation, ValueError):
        raise InvalidSetting(spec.key, "Enter an amount, for example 120.00.") from None
    return {"amount": found.amount, "currency": found.currency}
