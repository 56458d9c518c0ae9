from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.events.registry import shared_event_types
from apps.notifications.models import WebhookEndpoint
from apps.ui.forms import CheckedForm

ALL, CHOSEN = "all", "chosen"


class EndpointForm(CheckedForm):
    service_fields = {"customer": "customer"}

    url = forms.CharField(
        label="Address", max_length=500, help_text="Called by POST, over https, with a signed JSON body.",
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hooks", "autocomplete": "off"}),
    )  # fmt: skip
    description = forms.CharField(
        label="Name", max_length=160, required=False, help_text="What it is for, such as “Data warehouse”."
    )
    customer = forms.ChoiceField(
        label="Customer", required=False, help_text="An endpoint of one customer hears nothing of the others."
    )
    hears = forms.ChoiceField(
        label="Hears", choices=[(ALL, "Every event, also those to come"), (CHOSEN, "The events chosen below")],
        initial=ALL, widget=forms.RadioSelect,
    )  # fmt: skip
    events = forms.MultipleChoiceField(label="Events", required=False, widget=forms.CheckboxSelectMultiple)
    contact_email = forms.EmailField(
        label="Told when it stops working", required=False, help_text="Mailed when the endpoint is switched off."
    )

    def __init__(self, *args: Any, actor: Actor, endpoint: WebhookEndpoint | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        told = shared_event_types(for_customers=bool(endpoint and endpoint.customer_id))
        known = [(one.name, f"{one.description.removesuffix('.')} · {one.name}") for one in told]
        self.fields["events"].choices = known  # type: ignore[attr-defined]
        if endpoint is not None:
            # Whose events it hears is settled: another customer's history must not follow.
            del self.fields["customer"]
            return
        customers = Customer.objects.visible_to(actor).active().order_by("name", "id")
        self.fields["customer"].choices = [  # type: ignore[attr-defined]
            ("", "All customers"),
            *((str(customer.pk), customer.name) for customer in customers),
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("hears") == CHOSEN and not given.get("events"):
            self.add_error("events", "Choose at least one event.")
        return given

    def chosen(self, given: dict[str, Any]) -> dict[str, Any]:
        """What the services take."""
        return {
            "url": given["url"], "description": given["description"], "contact_email": given["contact_email"],
            "events": given["events"] if given["hears"] == CHOSEN else [],
        }  # fmt: skip

    @staticmethod
    def customer_id(given: dict[str, Any]) -> UUID | None:
        return UUID(given["customer"]) if given.get("customer") else None


def initial_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "url": endpoint.url, "description": endpoint.description, "contact_email": endpoint.contact_email,
        "hears": CHOSEN if endpoint.events else ALL, "events": endpoint.events,
    }  # fmt: skip
