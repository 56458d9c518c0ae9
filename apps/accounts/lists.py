"""What the signed-in person keeps about the list on the page; read once, and only by pages that show a list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from apps.accounts.models import SavedView

# What a view does not hold: where in the list one stands, and the format of a file.
PASSING = ("cursor", "format")


@dataclass(frozen=True, slots=True)
class ViewLink:
    name: str
    url: str
    delete_url: str
    active: bool


class ListSettings:
    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        match = request.resolver_match
        self.page = match.view_name if match else ""

    @cached_property
    def _rows(self) -> list[SavedView]:
        user = getattr(self._request, "user", None)
        if user is None or not user.is_authenticated:
            return []
        return list(SavedView.objects.filter(user_id=user.pk, page=self.page).order_by("name"))

    @property
    def hidden(self) -> frozenset[str]:
        """Keys of the columns the person has put away."""
        return frozenset(key for row in self._rows if not row.name for key in row.hidden_columns)

    @property
    def views(self) -> list[ViewLink]:
        return [
            ViewLink(
                row.name, f"{self._request.path}?{row.query}" if row.query else self._request.path,
                reverse("delete_list_view", args=[row.pk]), row.query == self.query,
            )
            for row in self._rows
            if row.name
        ]  # fmt: skip

    @property
    def query(self) -> str:
        """The filters and the order now, as an address writes them."""
        asked: QueryDict = self._request.GET.copy()
        for key in PASSING:
            asked.pop(key, None)
        return asked.urlencode()

    @property
    def here(self) -> str:
        return f"{self._request.path}?{self.query}" if self.query else self._request.path

    @property
    def save_url(self) -> str:
        return reverse("save_list_view", args=[self.page])

    @property
    def columns_url(self) -> str:
        return reverse("choose_list_columns", args=[self.page])
