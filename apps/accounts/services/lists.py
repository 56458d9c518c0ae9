"""How a person likes a list: views kept under a name, and the columns that stay out of sight."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from apps.accounts.models import SavedView, User
from apps.core.errors import AnticipatedError

MOST_VIEWS = 30
_PAGE = re.compile(r"[a-z0-9_]+(:[a-z0-9_]+)*")


class UnableToSaveView(AnticipatedError):
    """The view has no name, or there are enough of them."""


def save_view(*, user: User, page: str, name: str, query: str, now: datetime) -> SavedView:
    """This function will keep the filters and the order of a list; the same name again replaces them.

    `page` is the list's URL name, `query` the part of its address after the question mark. Raises UnableToSaveView.
    """
    words = name.strip()[:60]
    if not words:
        raise UnableToSaveView("Give the view a name.", field="name")
    others = SavedView.objects.filter(user=user, page=_checked(page)).exclude(name__in=["", words])
    if others.count() >= MOST_VIEWS:
        raise UnableToSaveView(f"There are {MOST_VIEWS} views of this list already. Delete one first.")
    view, _ = SavedView.objects.update_or_create(
        user=user, page=page, name=words, defaults={"query": query[:1000]}, create_defaults={"query": query[:1000], "created_at": now}
    )  # fmt: skip
    return view


def delete_view(*, user: User, view_id: UUID) -> None:
    """Somebody else's view, or one that is gone, is left as it is."""
    SavedView.objects.filter(user=user, pk=view_id).delete()


def choose_columns(*, user: User, page: str, hidden: Iterable[str], now: datetime) -> None:
    """This function will leave these columns out whenever the person opens the list."""
    columns = sorted({key for key in hidden if _PAGE.fullmatch(key)})[:50]
    SavedView.objects.update_or_create(
        user=user, page=_checked(page), name="", defaults={"hidden_columns": columns},
        create_defaults={"hidden_columns": columns, "created_at": now},
    )  # fmt: skip


def _checked(page: str) -> str:
    if len(page) > 80 or not _PAGE.fullmatch(page):
        raise UnableToSaveView("There is no such list.")
    return page
