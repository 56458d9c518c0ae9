from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.branding.selectors import current_brand


def brand(request: HttpRequest) -> dict[str, SimpleLazyObject]:
    """Lazy: a partial that shows nothing of the brand asks no cache for it."""
    return {"brand": SimpleLazyObject(current_brand)}
