"""Forms for connectors that the partner writes down."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.connectors.sdk.declared.definition import LONGEST_SOURCE
from apps.connectors.sdk.manifest import ConnectorManifest

EDITOR = {"rows": 34, "spellcheck": "false", "class": "form-control mono", "wrap": "off"}


class DefinitionForm(forms.Form):
    source = forms.CharField(
        label="Definition", max_length=LONGEST_SOURCE, strip=False, widget=forms.Textarea(attrs=EDITOR),
        help_text="YAML: how the system is spoken to, and what its objects are.",
    )  # fmt: skip


class TrialForm(forms.Form):
    """Which object to read, and with what: the definition's own inputs. Nothing of it is stored."""

    object_name = forms.ChoiceField(label="Read")

    def __init__(self, manifest: ConnectorManifest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manifest = manifest
        self.fields["object_name"].choices = [(spec.name, spec.label) for spec in manifest.streams]  # type: ignore[attr-defined]
        for field in manifest.config:
            widget = forms.PasswordInput(attrs={"autocomplete": "new-password"}) if field.secret else forms.TextInput()
            self.fields[f"field_{field.key}"] = forms.CharField(
                label=field.label, help_text=field.help, initial=field.default, required=field.required,
                max_length=4000, widget=widget,
            )  # fmt: skip

    def given(self, *, secret: bool) -> dict[str, str]:
        return {f.key: self.cleaned_data[f"field_{f.key}"] for f in self.manifest.config if f.secret is secret}

    @property
    def service_fields(self) -> dict[str, str]:
        return {field.key: f"field_{field.key}" for field in self.manifest.config}
