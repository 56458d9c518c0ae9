"""From prices and quantities to lines and totals. Pure: previews, invoices and recomputations share it.

Rounding law: each line is rounded half up once, to a whole minor unit; tax is computed per category on the sum of its
rounded lines and rounded half up once (EN 16931, BR-CO-17).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.billing.meters import METERS
from apps.core.money import round_half_up

_TAX_LABELS = {"S": "VAT {rate} %", "Z": "VAT 0 %", "AE": "VAT (reverse charge)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTerms:
    """A price as rating needs it: `unit_amount` in (possibly fractional) minor units."""

    label: str
    meter: str
    unit_amount: Decimal
    included_quantity: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLine:
    """A computed position; `used_quantity` is what was metered, `quantity` what is charged after the allowance."""

    description: str
    meter: str
    used_quantity: Decimal
    quantity: Decimal
    unit_amount: Decimal
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRule:
    """EN 16931 category code (S standard, Z zero, AE reverse charge) and the rate in percent."""

    category: str
    rate: Decimal

    @property
    def label(self) -> str:
        return _TAX_LABELS[self.category].format(rate=f"{self.rate.normalize():f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedInvoice:
    lines: tuple[RatedLine, ...]
    tax: TaxRule
    subtotal_amount: int
    tax_amount: int

    @property
    def total_amount(self) -> int:
        return self.subtotal_amount + self.tax_amount


def rate_invoice(prices: list[PriceTerms], usage: dict[str, Decimal], tax: TaxRule) -> RatedInvoice:
    """`usage` maps meter to the quantity used in the period."""
    lines = tuple(_rate_line(price, usage) for price in prices)
    subtotal = sum(line.amount for line in lines)
    return RatedInvoice(
        lines=lines,
        tax=tax,
        subtotal_amount=subtotal,
        tax_amount=round_half_up(Decimal(subtotal) * tax.rate / 100),
    )


def _rate_line(price: PriceTerms, usage: dict[str, Decimal]) -> RatedLine:
    if not price.meter:
        return RatedLine(
            description=price.label,
            meter="",
            used_quantity=Decimal(1),
            quantity=Decimal(1),
            unit_amount=price.unit_amount,
            amount=round_half_up(price.unit_amount),
        )
    used = usage.get(price.meter, Decimal(0))
    charged = max(Decimal(0), used - price.included_quantity)
    return RatedLine(
        description=_describe(price, used),
        meter=price.meter,
        used_quantity=used,
        quantity=charged,
        unit_amount=price.unit_amount,
        amount=round_half_up(charged * price.unit_amount),
    )


def _describe(price: PriceTerms, used: Decimal) -> str:
    unit = METERS[price.meter].unit
    text = f"{price.label}: {used.normalize():,f} {unit} used"
    return f"{text}, {price.included_quantity.normalize():,f} included" if price.included_quantity else text


def tax_rule_for(*, seller_country: str, buyer_country: str, buyer_tax_id: str, standard_rate: Decimal) -> TaxRule:
    """Domestic or consumer: the seller's standard rate. A business abroad that gave its tax id: reverse charge."""
    if standard_rate == 0:
        return TaxRule(category="Z", rate=Decimal(0))
    if buyer_country and buyer_country != seller_country and buyer_tax_id:
        return TaxRule(category="AE", rate=Decimal(0))
    return TaxRule(category="S", rate=standard_rate)
