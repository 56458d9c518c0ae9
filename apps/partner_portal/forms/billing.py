from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory

from apps.billing.meters import METERS
from apps.billing.models import BillingAccount, Invoice, LegalEntity, PaidBy, PlanVersion
from apps.billing.rating import PriceTerms
from apps.billing.services import NewPrice
from apps.core.ids import uuid7
from apps.core.money import Money, exponent
from apps.ui.fields import CountryField, CurrencyField
from apps.ui.forms import CheckedForm


class PlanForm(CheckedForm):
    name = forms.CharField(label="Name", max_length=80, help_text="As customers and invoices see it.")
    description = forms.CharField(label="What it includes", max_length=300, required=False)
    currency = CurrencyField()

    def __init__(self, *args: Any, is_version: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_version:
            for name in ("name", "description"):
                del self.fields[name]


class PriceForm(CheckedForm):
    """One row of the editor; a row without a label is left out."""

    label = forms.CharField(label="On the invoice", max_length=120, required=False)
    meter = forms.ChoiceField(
        label="Charged", required=False,
        choices=[("", "Flat, per month"), *((m.key, f"Per unit: {m.label.lower()}") for m in METERS.values())],
    )  # fmt: skip
    unit_price = forms.DecimalField(
        label="Price", required=False, min_value=Decimal(0), max_digits=12, decimal_places=6
    )
    included = forms.DecimalField(
        label="Included", required=False, min_value=Decimal(0), max_digits=15, decimal_places=3
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("label") and data.get("unit_price") is None and "unit_price" not in self.errors:
            self.add_error("unit_price", "Enter a price.")
        if data.get("unit_price") is not None and not data.get("label"):
            self.add_error("label", "Say what the invoice should call it.")
        return data


class UsageForm(forms.Form):
    """What a month might use: one quantity per meter, for the calculator."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for meter in METERS.values():
            self.fields[meter.key] = forms.DecimalField(
                label=meter.label, required=False, min_value=Decimal(0), max_digits=15, decimal_places=3,
                help_text=f"{meter.unit.capitalize()} a month.",
            )  # fmt: skip

    def quantities(self) -> dict[str, Decimal]:
        return {meter: quantity for meter, quantity in self.cleaned_data.items() if quantity is not None}


PriceFormSet = formset_factory(PriceForm, extra=0, min_num=4, max_num=12, absolute_max=12)


def new_prices(rows: BaseFormSet[Any], currency: str) -> list[NewPrice]:
    """Prices are typed in major units and stored in minor ones, fractions kept."""
    return [
        NewPrice(
            label=row["label"],
            unit_amount=row["unit_price"].scaleb(exponent(currency)),
            meter=row["meter"],
            included_quantity=(row["included"] or Decimal(0)) if row["meter"] else Decimal(0),
        )
        for row in (form.cleaned_data for form in rows)
        if row.get("label")
    ]


def price_terms(prices: list[NewPrice]) -> list[PriceTerms]:
    return [
        PriceTerms(
            label=price.label, meter=price.meter, unit_amount=price.unit_amount,
            included_quantity=price.included_quantity,
        )
        for price in prices
    ]  # fmt: skip


def initial_prices(version: PlanVersion) -> list[dict[str, Any]]:
    scale = -exponent(version.currency)
    return [
        {
            "label": price.label,
            "meter": price.meter,
            "unit_price": f"{price.unit_amount.scaleb(scale).normalize():f}",
            "included": f"{price.included_quantity.normalize():f}" if price.included_quantity else "",
        }
        for price in version.prices.order_by("position")
    ]


class AccountForm(CheckedForm):
    """Who is billed. The currency is the customer's and stays."""

    legal_name = forms.CharField(label="Legal name", max_length=160)
    email = forms.EmailField(label="Invoices go to", required=False)
    address = forms.CharField(label="Address", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    country = CountryField(required=False)
    tax_id = forms.CharField(
        label="Tax id", max_length=40, required=False,
        help_text="With it, a company abroad is invoiced under reverse charge.",
    )  # fmt: skip

    @classmethod
    def initial_of(cls, account: BillingAccount) -> dict[str, Any]:
        return {name: getattr(account, name) for name in cls.base_fields}


class SubscribeForm(CheckedForm):
    plan = forms.ChoiceField(label="Plan")

    def __init__(self, versions: list[PlanVersion], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._versions = {str(version.pk): version for version in versions}
        choices = [(key, f"{version.plan.name} ({version.currency})") for key, version in self._versions.items()]
        self.fields["plan"].choices = choices  # type: ignore[attr-defined]

    def clean_plan(self) -> PlanVersion:
        return self._versions[self.cleaned_data["plan"]]


class PaymentForm(CheckedForm):
    amount = forms.DecimalField(label="Amount", max_digits=14, decimal_places=3)
    paid_on = forms.DateField(label="Received on", widget=forms.DateInput(attrs={"type": "date"}))
    method = forms.ChoiceField(label="How", choices=PaidBy.choices)
    reference = forms.CharField(label="Reference", max_length=120, required=False)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, invoice: Invoice, today: date, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._currency = invoice.currency
        self.fields["paid_on"].initial = today
        self.fields["paid_on"].widget.attrs["max"] = today.isoformat()
        owed = Money(invoice.owed_amount, invoice.currency)
        self.fields["amount"].help_text = f"In {invoice.currency}."
        self.fields["amount"].initial = str(owed.decimal)
        # Made anew for each page: the same form sent twice is one payment.
        self.fields["key"].initial = f"form:{uuid7()}"

    def clean_amount(self) -> int:
        amount: Decimal = self.cleaned_data["amount"]
        if amount != amount.quantize(Decimal(1).scaleb(-exponent(self._currency))):
            raise forms.ValidationError(f"{self._currency} has no smaller unit than this.")
        return Money.from_decimal(amount, self._currency).amount


class VoidForm(CheckedForm):
    reason = forms.CharField(
        label="Why it is voided", max_length=300, help_text="Kept with the invoice and in the audit trail."
    )


class WriteOffForm(CheckedForm):
    reason = forms.CharField(
        label="Why it will not be paid", max_length=300, help_text="Kept with the invoice and in the audit trail."
    )


class LegalEntityForm(CheckedForm):
    """The issuer of invoices; what is issued already keeps its snapshot."""

    name = forms.CharField(label="Legal name", max_length=160)
    address = forms.CharField(label="Address", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    country = CountryField()
    tax_id = forms.CharField(label="Tax id", max_length=40, required=False)
    tax_rate = forms.DecimalField(
        label="Standard tax rate, %", max_digits=6, decimal_places=3, min_value=Decimal(0), max_value=Decimal(100)
    )
    payment_instructions = forms.CharField(
        label="How to pay", required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Bank details and terms, printed on every invoice.",
    )  # fmt: skip

    @classmethod
    def initial_of(cls, entity: LegalEntity) -> dict[str, Any]:
        rate = Decimal(f"{entity.tax_rate.normalize():f}")  # 19, not 19.000
        return {name: getattr(entity, name) for name in cls.base_fields} | {"tax_rate": rate}
