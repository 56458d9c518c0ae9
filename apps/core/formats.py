"""Numbers, money and dates as people of a locale write them (CLDR, through Babel)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date as babel_date
from babel.numbers import format_currency, format_decimal

from apps.core.money import Money, exponent


def parse_locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def format_money(money: Money, locale: str = "en") -> str:
    return str(format_currency(money.decimal, money.currency, locale=parse_locale(locale)))


def format_unit_price(unit_amount: Decimal, currency: str, locale: str = "en") -> str:
    """A unit price given in minor units; keeps fractions of a cent, and at least the currency's places."""
    major = unit_amount.scaleb(-exponent(currency)).normalize()
    places = max(exponent(currency), -int(major.as_tuple().exponent))
    pattern = f"¤#,##0.{'0' * places}" if places else "¤#,##0"
    return str(format_currency(major, currency, format=pattern, locale=parse_locale(locale), currency_digits=False))


def format_number(value: Decimal | int, locale: str = "en") -> str:
    return str(format_decimal(value, locale=parse_locale(locale), decimal_quantization=False))


def format_date(value: date, locale: str = "en") -> str:
    """A day with its month in words. In English the day comes first: "23 November 2026" is read alike everywhere."""
    found = parse_locale(locale)
    return str(babel_date(value, format="d MMMM y" if found.language == "en" else "long", locale=found))
