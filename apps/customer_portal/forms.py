from __future__ import annotations

from typing import Any

from django import forms

from apps.accounts.policies import CustomerRole
from apps.connectors.registry import UnknownVendor, get_manifest


class SecretsForm(forms.Form):
    """New secrets for a system that is connected by key: one field for each secret its manifest names."""

    def __init__(self, *args: Any, vendor: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            wanted = get_manifest(vendor).config
        except UnknownVendor:
            wanted = ()
        for field in wanted:
            if field.secret:
                self.fields[field.key] = forms.CharField(
                    label=field.label,
                    help_text=field.help,
                    required=field.required,
                    max_length=4_000,
                    widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
                )

    @property
    def secrets(self) -> dict[str, str]:
        return {key: value for key, value in self.cleaned_data.items() if value}


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", help_text="The invitation goes here and is good for seven days.")
    role = forms.ChoiceField(
        label="Role",
        choices=CustomerRole.choices,
        initial=CustomerRole.VIEWER,
        help_text="Administrators connect systems, correct records and manage members. Viewers see everything.",
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=CustomerRole.choices)
