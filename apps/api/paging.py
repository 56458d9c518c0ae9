"""Cursor pagination over time-ordered ids: newest first, stable while rows are added."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
PAGE_PARAMETERS = [
    OpenApiParameter("limit", int, description="1 to 200; 50 when absent."),
    OpenApiParameter("cursor", str, description="A `next_cursor` of this list."),
]
CUSTOMER_PARAMETER = OpenApiParameter("customer", str, description="Id of a customer.")


def paginate(request: Request, rows: QuerySet[Any]) -> tuple[list[Any], str | None]:
    """This function will return one page, newest id first, and the cursor of the next (None at the end).

    Raises ValidationError for a bad limit or cursor.
    """
    limit = _limit(request)
    ordered = rows.order_by("-pk")
    cursor = request.query_params.get("cursor")
    if cursor:
        ordered = ordered.filter(pk__lt=_decode(cursor, rows))
    page = list(ordered[: limit + 1])
    more = len(page) > limit
    page = page[:limit]
    return page, _encode(page[-1].pk) if more else None


def _limit(request: Request) -> int:
    raw = request.query_params.get("limit", str(DEFAULT_LIMIT))
    # Digits of other scripts are none to `int`, and thousands of them are refused by it.
    if not (raw.isascii() and raw.isdigit() and len(raw) <= len(str(MAX_LIMIT))) or not 1 <= int(raw) <= MAX_LIMIT:
        raise ValidationError({"limit": [f"Give a whole number from 1 to {MAX_LIMIT}."]})
    return int(raw)


def _encode(key: object) -> str:
    return urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _decode(cursor: str, rows: QuerySet[Any]) -> Any:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return rows.model._meta.pk.to_python(text)
    except Exception as error:
        raise ValidationError({"cursor": ["Use a next_cursor of this list, unchanged."]}) from error
