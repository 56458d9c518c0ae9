"""Money: integer minor units and an ISO 4217 code; rounding happens in `round_half_up` and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# ISO 4217 minor units that are not 2.
_EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


def exponent(currency: str) -> int:
    """How many decimal places the currency's minor unit stands for (EUR 2, JPY 0, KWD 3)."""
    return _EXPONENTS.get(currency, 2)


def round_half_up(value: Decimal) -> int:
    """The product's one rounding law: half away from zero, to a whole minor unit."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added or compared."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: `amount` in minor units (cents), `currency` an ISO 4217 code."""

    amount: int
    currency: str

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return self + Money(-other.amount, other.currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units with all its places: Money(1050, "EUR") is Decimal("10.50")."""
        return Decimal(self.amount).scaleb(-exponent(self.currency))

    @classmethod
    def from_decimal(cls, value: Decimal, currency: str) -> Money:
        """Rounds half up where `value` has more places than the currency."""
        return cls(round_half_up(value.scaleb(exponent(currency))), currency)

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"
