from __future__ import annotations

from django import forms

from apps.accounts.policies import StaffRole
from apps.ui.forms import CheckedForm

ROLE_HELP = {
    StaffRole.ADMIN: "Everything except transferring the ownership.",
    StaffRole.ENGINEER: "Customers, connections, integrations, runs and errors.",
    StaffRole.SUPPORT: "Sees integrations and runs, resolves errors, starts runs.",
    StaffRole.FINANCE: "Billing and service levels.",
    StaffRole.VIEWER: "Looks, changes nothing.",
}


class InviteForm(CheckedForm):
    email = forms.EmailField(label="E-mail", help_text="The invitation is sent here and works for seven days.")
    role = forms.ChoiceField(
        label="Role",
        choices=[(role.value, f"{role.label} – {ROLE_HELP[role]}") for role in ROLE_HELP],
        initial=StaffRole.ENGINEER,
        widget=forms.RadioSelect,
    )
