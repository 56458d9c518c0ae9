"""Form fields whose choices are the same everywhere."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.core.regions import countries, currencies


class CountryField(forms.ChoiceField):
    """A country by name, kept as its ISO 3166-1 code; empty when not required."""

    def __init__(self, *, required: bool = True, **kwargs: Any) -> None:
        choices = [("", "Choose a country" if required else "Not said"), *countries()]
        widget = forms.Select(attrs={"data-search": ""})
        super().__init__(choices=choices, required=required, widget=widget, **{"label": "Country", **kwargs})


class CurrencyField(forms.ChoiceField):
    """A currency, kept as its ISO 4217 code."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Select(attrs={"data-search": ""})
        super().__init__(choices=list(currencies()), widget=widget, **{"label": "Currency", **kwargs})
