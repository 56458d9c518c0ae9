from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.branding.selectors import current_brand


def brand(request: HttpRequest) -> dict[str, Any]:
    """Lazy: a partial that shows nothing of the brand asks no cache for it."""
    return {"brand": SimpleLazyObject(current_brand)}
