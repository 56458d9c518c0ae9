"""Forms that take a file."""

from __future__ import annotations

from django import forms


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File", help_text="CSV. You see what it becomes before anything is taken over.", max_length=200
    )


class SampleForm(forms.Form):
    file = forms.FileField(label="Sample", help_text="A CSV file as the system writes it; only its beginning is read.")
    transport = forms.ChoiceField(
        label="How files come", choices=[("sftp", "From an SFTP server"), ("upload", "Uploaded by a person")]
    )
