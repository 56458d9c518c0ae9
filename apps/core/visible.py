"""The one row somebody asks for, out of those that are theirs to see."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from apps.core.errors import NotVisible

Row = TypeVar("Row", bound=Model)


def get_visible(rows: QuerySet[Row], key: UUID | str | int, missing: str) -> Row:
    """Raises NotVisible with the words `missing`. `rows` hold nothing that the actor must not see."""
    found = rows.filter(pk=key).first()
    if found is None:
        raise NotVisible(missing)
    return found
