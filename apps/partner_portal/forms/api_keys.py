from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from apps.accounts.policies import API_SCOPES
from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.ui.forms import CheckedForm

_LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "Until it is revoked")]


class ApiKeyForm(CheckedForm):
    name = forms.CharField(
        label="Name", max_length=120, help_text="The machine or script that will use it, such as “Warehouse export”."
    )
    scopes = forms.MultipleChoiceField(label="May", widget=forms.CheckboxSelectMultiple)
    customer = forms.ChoiceField(
        label="Customer", required=False, help_text="A key of one customer sees nothing of the others."
    )
    lifetime = forms.ChoiceField(label="Works for", choices=_LIFETIMES, initial="90", required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = [(scope, label) for scope, label in API_SCOPES.items() if actor.can(scope)]
        customers = Customer.objects.visible_to(actor).active().order_by("name", "id")
        self.fields["scopes"].choices = scopes  # type: ignore[attr-defined]
        self.fields["customer"].choices = [  # type: ignore[attr-defined]
            ("", "All customers"),
            *((str(customer.pk), customer.name) for customer in customers),
        ]

    def expires_at(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return now + timedelta(days=int(days)) if days else None
