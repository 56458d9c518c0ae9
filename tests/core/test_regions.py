"""Countries and currencies are those of the standards."""

from __future__ import annotations

import pytest

from apps.core.regions import countries, country_name, currencies, is_country, is_currency


def test_there_are_as_many_countries_as_iso_3166_knows() -> None:
    assert len(countries()) == 249
    assert dict(countries())["DE"] == "Germany"
    assert [name for _, name in countries()] == sorted(name for _, name in countries())


@pytest.mark.parametrize("code", ["EU", "XK", "UK", "de", "D", "", "ZZ", "150"])
def test_what_is_no_country(code: str) -> None:
    assert not is_country(code)


@pytest.mark.parametrize("code", ["EUR", "USD", "JPY", "CHF", "KWD"])
def test_currencies_in_use(code: str) -> None:
    assert is_currency(code)
    assert dict(currencies())[code].startswith(f"{code} · ")


@pytest.mark.parametrize("code", ["DEM", "XXX", "XAU", "eur", "EU", ""])
def test_what_nobody_pays_with(code: str) -> None:
    assert not is_currency(code)


def test_a_country_is_named_in_the_readers_language() -> None:
    assert (country_name("DE", "de"), country_name("??")) == ("Deutschland", "??")
