from __future__ import annotations

from typing import Any

from django import forms

from apps.customers.models import EnvironmentKind


class JoiningForm(forms.Form):
    customer = forms.ChoiceField(
        label="Customer that stays", help_text="Keeps its name, members, contract and history."
    )
    other = forms.ChoiceField(
        label="Customer that joins it", help_text="Its systems, integrations and records become the other's."
    )
    kind = forms.ChoiceField(label="Environment", choices=EnvironmentKind.choices)

    def __init__(self, customers: list[tuple[str, str]], data: Any = None) -> None:
        super().__init__(data)
        for name in ("customer", "other"):
            field: Any = self.fields[name]
            field.choices = [("", "Choose a customer"), *customers]
