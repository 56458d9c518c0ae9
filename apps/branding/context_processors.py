from __future__ import annotations

from django.http import HttpRequest

from apps.branding.brand import NEUTRAL_BRAND, Brand


def brand(request: HttpRequest) -> dict[str, Brand]:
    return {"brand": NEUTRAL_BRAND}
