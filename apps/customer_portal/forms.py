from __future__ import annotations

from typing import Any

from django import forms

from apps.accounts.policies import CustomerRole
from apps.connectors.models import Connection
from apps.connectors.sdk.manifest import ConfigField
from apps.connectors.selectors import open_fields
from apps.ui.forms import CheckedForm


class AccessForm(CheckedForm):
    """What the system's own people enter to give access: the secrets, and settings that nobody has filled in yet."""

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted = open_fields(connection)
        for field in self._wanted:
            self.fields[field.key] = _access_field(field)

    @property
    def secrets(self) -> dict[str, str]:
        return self._given(secret=True)

    @property
    def settings(self) -> dict[str, str]:
        return self._given(secret=False)

    def _given(self, *, secret: bool) -> dict[str, str]:
        names = [field.key for field in self._wanted if field.secret is secret]
        return {name: value for name in names if (value := self.cleaned_data.get(name))}


def _access_field(field: ConfigField) -> forms.CharField:
    widget: forms.Widget = forms.PasswordInput(attrs={"autocomplete": "off"}) if field.secret else forms.TextInput()
    if field.kind == "multiline":
        widget = forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=field.label, help_text=field.help, required=field.required, max_length=10_000, widget=widget
    )


class InviteForm(CheckedForm):
    email = forms.EmailField(label="E-mail address", help_text="The invitation goes here and is good for seven days.")
    role = forms.ChoiceField(
        label="Role",
        choices=CustomerRole.choices,
        initial=CustomerRole.VIEWER,
        help_text="Administrators connect systems, correct records and manage members. Viewers see everything.",
    )


class RoleForm(CheckedForm):
    role = forms.ChoiceField(label="Role", choices=CustomerRole.choices)
