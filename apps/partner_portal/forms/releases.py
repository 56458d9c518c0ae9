"""Forms for writing and publishing templates."""

from __future__ import annotations

from django import forms

from apps.flows.services.template_versions import OWN_PREFIX
from apps.flows.sources import LONGEST_SOURCE
from apps.partner_portal.forms.custom_connectors import EDITOR
from apps.ui.forms import CheckedForm


class ForkForm(CheckedForm):
    name = forms.CharField(label="Name", max_length=120, help_text="What your team and your customers call it.")
    key = forms.CharField(
        label="Key", max_length=60, help_text=f"How files and the API call it. Begins with {OWN_PREFIX}; it stays for good.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
    )  # fmt: skip


class TemplateForm(forms.Form):
    source = forms.CharField(
        label="Template", max_length=LONGEST_SOURCE, strip=False, widget=forms.Textarea(attrs=EDITOR),
        help_text="YAML: roles, settings and flows. What is wrong is told with its line when you save.",
    )  # fmt: skip
    note = forms.CharField(
        label="What changed",
        max_length=200,
        required=False,
        help_text="Whoever looks it over and rolls it out reads this.",
    )


class ReleaseRulesForm(forms.Form):
    requires_review = forms.BooleanField(
        label="A second person publishes",
        required=False,
        help_text="Templates and changes to integrations are handed in for review. Nobody publishes "
        "what they wrote, or takes live in production what they set up. To end this takes a second person as well.",
    )
