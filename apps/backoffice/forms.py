from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from apps.provisioning.services import NewPartner
from apps.ui.fields import CountryField, CurrencyField
from apps.ui.forms import CheckedForm


class PartnerForm(CheckedForm):
    name = forms.CharField(label="Name", max_length=120)
    slug = forms.CharField(
        label="Address", max_length=40, help_text="The first part of the partner's host: letters, digits and hyphens."
    )
    owner_email = forms.EmailField(label="Owner's e-mail address", help_text="Receives the first invitation.")
    owner_name = forms.CharField(label="Owner's name", max_length=120, required=False)
    currency = CurrencyField(initial="EUR", help_text="Of its own prices and invoices.")
    time_zone = forms.ChoiceField(
        label="Time zone",
        initial="UTC",
        choices=[(zone, zone) for zone in sorted(available_timezones())],
        widget=forms.Select(attrs={"data-search": ""}),
    )
    country = CountryField(required=False)

    def to_new_partner(self) -> NewPartner:
        return NewPartner(**self.cleaned_data)


class SuspendForm(CheckedForm):
    """The address is typed again, so that nobody closes the wrong partner's doors."""

    reason = forms.CharField(label="Reason", max_length=200, help_text="Kept in the audit trail; never shown outside.")
    confirm = forms.CharField(label="The partner's address", max_length=40)

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slug = slug
        self.fields["confirm"].help_text = f"Type {slug} to confirm."

    def clean_confirm(self) -> str:
        typed = str(self.cleaned_data["confirm"]).strip()
        if typed != self.slug:
            raise forms.ValidationError(f"Type {self.slug}, the address of the partner you want to suspend.")
        return typed
