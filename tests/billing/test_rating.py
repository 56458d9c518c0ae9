"""Lines and totals, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.rating import PriceTerms, TaxRule, rate_invoice, tax_rule_for

FEE = PriceTerms(label="Managed integration", meter="", unit_amount=Decimal(49000))
NO_TAX = TaxRule(category="Z", rate=Decimal(0))


def metered(unit_amount: str, included: int = 0) -> PriceTerms:
    return PriceTerms(
        label="Records", meter="records_synced", unit_amount=Decimal(unit_amount), included_quantity=Decimal(included)
    )


CASES = [
    ("within the allowance", "1.25", 1000, 1000, 0),
    ("one over the allowance rounds half up", "0.5", 1000, 1001, 1),
    ("fractions of a cent add up before rounding", "0.333333", 0, 3000, 1000),
    ("nothing used", "1.25", 1000, 0, 0),
]


@pytest.mark.parametrize("case,unit_amount,included,used,amount", CASES, ids=[case[0] for case in CASES])
def test_a_metered_line(case: str, unit_amount: str, included: int, used: int, amount: int) -> None:
    rated = rate_invoice([metered(unit_amount, included)], {"records_synced": Decimal(used)}, NO_TAX)

    assert rated.lines[0].amount == amount


def test_totals_and_words() -> None:
    tax = TaxRule(category="S", rate=Decimal(19))

    rated = rate_invoice([FEE, metered("1.25", 1000)], {"records_synced": Decimal(3500)}, tax)

    assert [line.amount for line in rated.lines] == [49000, 3125]
    assert rated.lines[1].description == "Records: 3,500 records used, 1,000 included"
    assert (rated.subtotal_amount, rated.tax_amount, rated.total_amount) == (52125, 9904, 62029)


@given(
    prices=st.lists(st.decimals(0, 10_000, places=6), min_size=1, max_size=5),
    used=st.integers(0, 10_000_000),
    rate=st.sampled_from([Decimal(0), Decimal(7), Decimal("8.1"), Decimal(19), Decimal(20)]),
)
def test_lines_always_sum_to_the_total(prices: list[Decimal], used: int, rate: Decimal) -> None:
    terms = [metered(str(price)) for price in prices]

    rated = rate_invoice(terms, {"records_synced": Decimal(used)}, TaxRule(category="S", rate=rate))

    assert sum(line.amount for line in rated.lines) == rated.subtotal_amount
    assert rated.total_amount - rated.subtotal_amount == rated.tax_amount
    assert abs(Decimal(rated.tax_amount) - rated.subtotal_amount * rate / 100) <= Decimal("0.5")


TAXES = [
    ("domestic", "DE", "", "19", "S", "19"),
    ("business abroad", "FR", "FR123", "19", "AE", "0"),
    ("abroad without a tax id", "FR", "", "19", "S", "19"),
    ("issuer without tax", "DE", "", "0", "Z", "0"),
]


@pytest.mark.parametrize("case,country,tax_id,standard,category,rate", TAXES, ids=[case[0] for case in TAXES])
def test_tax_rule(case: str, country: str, tax_id: str, standard: str, category: str, rate: str) -> None:
    rule = tax_rule_for(
        seller_country="DE", buyer_country=country, buyer_tax_id=tax_id, standard_rate=Decimal(standard)
    )

    assert rule == TaxRule(category=category, rate=Decimal(rate))
