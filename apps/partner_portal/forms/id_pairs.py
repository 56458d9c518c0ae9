from __future__ import annotations

from typing import Any

from django import forms

from apps.canonical.models import Entity

MAX_BYTES = 2_000_000


class IdPairsForm(forms.Form):
    entity = forms.ChoiceField(label="Kind of record", choices=Entity.choices)
    left = forms.ChoiceField(label="System of the first column")
    right = forms.ChoiceField(label="System of the second column")
    file = forms.FileField(
        label="CSV file", required=False, help_text="Two columns: the id in one system, the id in the other."
    )
    text = forms.CharField(
        label="Or paste the lines", required=False, max_length=MAX_BYTES, widget=forms.Textarea(attrs={"rows": 6})
    )

    def __init__(self, connections: list[tuple[str, str]], data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        for name in ("left", "right"):
            field: Any = self.fields[name]
            field.choices = connections

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload = cleaned.get("file")
        if upload is not None:
            if upload.size > MAX_BYTES:
                raise forms.ValidationError({"file": "Take a file of at most 2 MB."})
            cleaned["text"] = upload.read().decode("utf-8-sig", errors="replace")
        return cleaned
