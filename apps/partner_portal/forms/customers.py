from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from apps.accounts.models import StaffMembership, User
from apps.accounts.policies import CustomerRole
from apps.customers.models import Customer, Lifecycle
from apps.ui.fields import CountryField, CurrencyField
from apps.ui.forms import CheckedForm


def zone_choices() -> list[tuple[str, str]]:
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in zones)]


class CustomerForm(CheckedForm):
    """What is said of a customer. Integration and billing details have forms of their own."""

    name = forms.CharField(label="Name", max_length=160, help_text="As the customer's people know it.")
    currency = CurrencyField(help_text="Of its systems and of your invoices to it.")
    time_zone = forms.ChoiceField(
        label="Time zone", help_text="Months of its service levels and invoices begin at midnight here.",
        widget=forms.Select(attrs={"data-search": ""}),
    )  # fmt: skip
    country = CountryField(required=False)
    contact_name = forms.CharField(label="Contact person", max_length=120, required=False)
    contact_email = forms.EmailField(label="Contact e-mail", required=False)
    owner = forms.ChoiceField(label="Owner", required=False, help_text="Who on your team answers for this customer.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {str(member.user_id): member.user for member in _team()}
        self._choose("time_zone", zone_choices())
        self._choose("owner", [("", "Nobody yet"), *((key, str(user)) for key, user in self._people.items())])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_owner(self) -> User | None:
        return self._people.get(self.cleaned_data["owner"])


class CustomerSettingsForm(CustomerForm):
    lifecycle = forms.ChoiceField(label="Stage", choices=Lifecycle.choices)

    @staticmethod
    def initial_of(customer: Customer) -> dict[str, Any]:
        plain = ("name", "currency", "time_zone", "country", "contact_name", "contact_email", "lifecycle")
        return {**{name: getattr(customer, name) for name in plain}, "owner": str(customer.owner_id or "")}


class InviteForm(CheckedForm):
    email = forms.EmailField(label="E-mail address")
    role = forms.ChoiceField(
        label="Role", choices=CustomerRole.choices, initial=CustomerRole.ADMIN,
        help_text="Administrators authorize connections and invite colleagues; viewers read.",
    )  # fmt: skip


def _team() -> list[StaffMembership]:
    members = StaffMembership.objects.filter(user__is_active=True).select_related("user")
    return list(members.order_by("user__name", "user__email"))
