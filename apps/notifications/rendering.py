"""A mail's words: one text and one HTML template per mail, both in the partner's brand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from apps.branding.brand import Brand
from apps.tenants.selectors import absolute_url

_SUBJECT = "Subject: "
_SUBJECT_LIMIT = 250


@dataclass(frozen=True, slots=True)
class RenderedMail:
    subject: str
    text: str
    html: str


def render_mail(*, template: str, context: dict[str, Any], brand: Brand, host: str) -> RenderedMail:
    """This function will render `emails/<template>.txt` and `.html`.

    The text's first line is the subject, as `Subject: …`. Pictures need whole addresses: `logo_url` carries the host.
    """
    logo_url = absolute_url(host, brand.logo_url) if brand.logo_url and host else ""
    values = {**context, "brand": brand, "logo_url": logo_url}
    # A text template is no HTML: escaping would write &#x27; into it.
    head, _, text = render_to_string(f"emails/{template}.txt", values).strip().partition("\n")
    subject = " ".join(head.removeprefix(_SUBJECT).split())[:_SUBJECT_LIMIT]
    html = render_to_string(f"emails/{template}.html", {**values, "subject": subject})
    return RenderedMail(subject, text.strip() + "\n", html)
