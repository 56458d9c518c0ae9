"""The forms of the deploy wizard, made from the template: who plays which role, and its settings."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.core.money import Money
from apps.flows.binding import domains_of
from apps.flows.definition import SettingSpec, TemplateSpec
from apps.ui.forms import CheckedForm


class BindingsForm(CheckedForm):
    """One choice per role, among the customer's connections whose system can play it."""

    def __init__(self, spec: TemplateSpec, connections: list[Connection], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._by_id = {str(connection.pk): connection for connection in connections}
        for role, asked in spec.roles.items():
            fitting = [c for c in connections if asked.domain in domains_of(get_manifest(c.vendor))]
            choices = [(str(c.pk), _label(c)) for c in fitting]
            self.fields[role] = forms.ChoiceField(
                label=asked.label, help_text=asked.help, choices=choices, widget=forms.RadioSelect,
                initial=choices[0][0] if len(choices) == 1 else None,
                error_messages={"required": f"Choose or connect a system for {asked.label}."},
            )  # fmt: skip

    def bindings(self) -> dict[str, Connection]:
        return {role: self._by_id[key] for role, key in self.cleaned_data.items()}


def _label(connection: Connection) -> str:
    system = get_manifest(connection.vendor).name
    name = system if connection.name == system else f"{connection.name} ({system})"
    return f"{name} · {connection.account_name or connection.get_status_display()}"


class SettingsForm(CheckedForm):
    name = forms.CharField(label="Name of this integration", max_length=120)

    def __init__(self, spec: TemplateSpec, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service_fields = {setting.key: f"setting_{setting.key}" for setting in spec.settings}
        for setting in spec.settings:
            self.fields[self.service_fields[setting.key]] = _setting_field(setting)

    def given(self) -> dict[str, Any]:
        return {key: self.cleaned_data[name] for key, name in self.service_fields.items()}

    @staticmethod
    def initial_of(name: str, settings: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, **{f"setting_{key}": _editable(value) for key, value in settings.items()}}


def _editable(value: Any) -> Any:
    if isinstance(value, dict) and {"amount", "currency"} <= set(value):
        return str(Money(value["amount"], value["currency"]).decimal)
    return value


def _setting_field(setting: SettingSpec) -> forms.Field:
    common: dict[str, Any] = {"label": setting.label, "help_text": setting.help, "required": False}
    if setting.type == "boolean":
        return forms.BooleanField(**common)
    if setting.type == "integer":
        return forms.IntegerField(**common)
    if setting.type == "choice":
        choices = [(choice, choice[:1].upper() + choice[1:]) for choice in setting.choices]
        return forms.ChoiceField(choices=choices, **common)
    if setting.type == "money":
        return forms.CharField(widget=forms.TextInput(attrs={"inputmode": "decimal"}), **common)
    is_long = "line per" in setting.help.lower()
    widget = forms.Textarea(attrs={"rows": 4}) if is_long else forms.TextInput()
    return forms.CharField(widget=widget, strip=False, max_length=5000, **common)
