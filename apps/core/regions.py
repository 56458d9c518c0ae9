"""Countries (ISO 3166-1) and currencies in use (ISO 4217), from the CLDR data that Babel carries."""

from __future__ import annotations

from functools import cache

from babel.numbers import get_currency_name, get_territory_currencies

from apps.core.formats import parse_locale

# Two letters in CLDR, but no country of ISO 3166-1: unions, islands with codes of their own, test and unknown regions.
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})


@cache
def countries(language: str = "en") -> tuple[tuple[str, str], ...]:
    """(code, name) of every country, by name."""
    names = {str(code): str(name) for code, name in parse_locale(language).territories.items()}
    found = [(code, name) for code, name in names.items() if len(code) == 2 and code.isalpha()]
    return tuple(sorted((pair for pair in found if pair[0] not in _NO_COUNTRIES), key=lambda pair: pair[1]))


@cache
def currencies(language: str = "en") -> tuple[tuple[str, str], ...]:
    """(code, `EUR · Euro`) of every currency that is legal tender somewhere, by code."""
    codes = {code for country, _ in countries() for code in get_territory_currencies(country, tender=True)}
    return tuple((code, f"{code} · {get_currency_name(code, locale=language)}") for code in sorted(codes))


def is_country(code: str) -> bool:
    return any(code == known for known, _ in countries())


def is_currency(code: str) -> bool:
    return any(code == known for known, _ in currencies())


def country_name(code: str, language: str = "en") -> str:
    """The name in the reader's language; the code itself when it names no country."""
    return dict(countries(language)).get(code, code)
