"""PDFs on the partner's letterhead: Typst templates, data passed as data, fonts of our own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

from apps.branding.brand import Brand
from apps.branding.selectors import find_brand_settings


def render_document(template: str, *, brand: Brand, data: dict[str, Any]) -> bytes:
    """This function will compile `templates/documents/<template>.typ` into a PDF/A-3b.

    `data["sender"]` holds the lines beside the logo. The template sees `data.json` (with the brand in it) and the logo,
    in a folder of their own: nothing else on the machine can be read, and no text of `data` is ever taken for markup.
    """
    documents = Path(settings.BASE_DIR) / "templates" / "documents"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in ("letterhead.typ", f"{template}.typ"):
            (folder / source).write_bytes((documents / source).read_bytes())
        logo = _logo()
        if logo is not None:
            (folder / logo[0]).write_bytes(logo[1])
        content = {**data, "brand": _brand(brand, logo[0] if logo else "")}
        (folder / "data.json").write_text(json.dumps(content))
        return bytes(
            typst.compile(
                str(folder / f"{template}.typ"),
                root=str(folder),
                format="pdf",
                font_paths=[str(Path(settings.BASE_DIR) / "static" / "dist" / "fonts")],
                ignore_system_fonts=True,
                pdf_standards=["a-3b"],
            )
        )


def _logo() -> tuple[str, bytes] | None:
    row = find_brand_settings()
    if row is None or row.logo is None:
        return None
    return f"logo.{row.logo.content_type.split('/')[-1]}", bytes(row.logo.content)


def _brand(brand: Brand, logo: str) -> dict[str, str]:
    return {
        "name": brand.name,
        "logo": logo,
        "color": brand.primary_color,
        "text_color": brand.primary_text_color,
        "email": brand.support_email,
        "phone": brand.support_phone,
        "url": brand.support_url,
    }
