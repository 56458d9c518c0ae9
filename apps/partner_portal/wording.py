"""Stored values as people read them."""

from __future__ import annotations

from typing import Any

from apps.core.money import Money
from apps.ui.formatting import duration_text, money_text


def setting_text(value: Any) -> str:
    if isinstance(value, dict) and {"amount", "currency"} <= set(value):
        return money_text(Money(value["amount"], value["currency"]).amount, value["currency"])
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "" if value is None else str(value)


def every(seconds: int) -> str:
    return f"every {duration_text(seconds)}"
