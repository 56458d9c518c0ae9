from __future__ import annotations

from typing import Any

from django import forms

from apps.branding.models import BrandSettings, CornerRadius
from apps.ui.forms import CheckedForm

_COLOR = forms.TextInput(attrs={"type": "color"})
IMAGE_SLOTS = ("logo", "logo_dark", "favicon")
_ACCEPT = {"accept": "image/png,image/webp,image/jpeg"}


class BrandForm(CheckedForm):
    """Shape only: whether a color can be read and a picture be used is the service's to say."""

    display_name = forms.CharField(label="Name", max_length=80, help_text="What your customers read everywhere.")
    primary_color = forms.CharField(label="Brand color", max_length=7, widget=_COLOR)
    accent_color = forms.CharField(label="Second color", max_length=7, widget=_COLOR)
    corner_radius = forms.TypedChoiceField(
        label="Corners", choices=CornerRadius.choices, coerce=int, widget=forms.RadioSelect
    )
    logo = forms.FileField(
        label="Logo", required=False, help_text="PNG, WebP or JPEG, up to 2 MB.", widget=forms.FileInput(_ACCEPT)
    )
    logo_dark = forms.FileField(
        label="Logo for dark pages", required=False, widget=forms.FileInput(_ACCEPT),
        help_text="Where it is missing, dark pages show the first one.",
    )  # fmt: skip
    favicon = forms.FileField(
        label="Icon", required=False, help_text="A square. Without one, your initials.", widget=forms.FileInput(_ACCEPT)
    )
    sign_in_text = forms.CharField(label="Line on the sign-in page", max_length=200, required=False)
    support_email = forms.CharField(label="Support e-mail", required=False)
    support_phone = forms.CharField(label="Support phone", max_length=40, required=False)
    support_url = forms.CharField(label="Help page", required=False)
    privacy_url = forms.CharField(label="Privacy page", required=False)
    terms_url = forms.CharField(label="Terms page", required=False)
    mail_from_name = forms.CharField(
        label="Sender of mails", max_length=80, required=False, help_text="Your name when left empty."
    )
    postal_address = forms.CharField(
        label="Postal address", required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands at the foot of mails and on invoices.",
    )  # fmt: skip

    SECTIONS = (
        ("Look", "One color for what one can press. Shades, text on it and links are derived.",
         ("display_name", "primary_color", "accent_color", "corner_radius")),
        ("Pictures", "They are decoded and written anew before anybody sees them.", IMAGE_SLOTS),
        ("Words", "Where your customers turn when they need somebody.",
         ("sign_in_text", "support_email", "support_phone", "support_url", "privacy_url", "terms_url")),
        ("Mails", "Every mail goes out in your name.", ("mail_from_name", "postal_address")),
    )  # fmt: skip

    @classmethod
    def of(cls, settings: BrandSettings, data: Any = None, files: Any = None) -> BrandForm:
        names = [name for name in cls.base_fields if name not in IMAGE_SLOTS]
        return cls(data, files, initial={name: getattr(settings, name) for name in names})

    def sections(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        return [(title, text, [self[name] for name in names]) for title, text, names in self.SECTIONS]

    def change(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in IMAGE_SLOTS}
