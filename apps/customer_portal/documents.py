from __future__ import annotations

from django.http import HttpResponse


def pdf_response(content: bytes, file_name: str) -> HttpResponse:
    """Shown in the browser, saved under a telling name; kept by no cache that others share."""
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{file_name}"', "Cache-Control": "private, no-store"},
    )
