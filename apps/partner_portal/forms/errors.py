from __future__ import annotations

from django import forms

from apps.ui.forms import CheckedForm


class IgnoreForm(CheckedForm):
    reason = forms.CharField(
        label="Reason", max_length=300, help_text="Your colleagues and the audit trail will show it.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
