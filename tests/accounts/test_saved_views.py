"""Views of a list that a person keeps, and the columns put away: each is the person's own."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.accounts.models import SavedView, User
from apps.accounts.services import UnableToSaveView, choose_columns, delete_view, save_view
from apps.accounts.services.lists import MOST_VIEWS

pytestmark = pytest.mark.django_db
PAGE = "partner_portal:runs"


@pytest.fixture
def anna(now: datetime) -> User:
    return User.objects.create(email="anna@example.com", created_at=now)


@pytest.fixture
def ben(now: datetime) -> User:
    return User.objects.create(email="ben@example.com", created_at=now)


def kept(user: User) -> list[tuple[str, str, list[str]]]:
    return list(SavedView.objects.filter(user=user).order_by("name").values_list("name", "query", "hidden_columns"))


def test_a_name_used_again_replaces_the_view(anna: User, now: datetime) -> None:
    save_view(user=anna, page=PAGE, name="Failed", query="state=failed", now=now)
    save_view(user=anna, page=PAGE, name=" Failed ", query="state=failed&sort=name", now=now)

    assert kept(anna) == [("Failed", "state=failed&sort=name", [])]


def test_a_view_without_a_name_is_refused(anna: User, now: datetime) -> None:
    with pytest.raises(UnableToSaveView) as refused:
        save_view(user=anna, page=PAGE, name="  ", query="state=failed", now=now)

    assert (refused.value.field, kept(anna)) == ("name", [])


def test_there_is_an_end_to_views(anna: User, now: datetime) -> None:
    for number in range(MOST_VIEWS):
        save_view(user=anna, page=PAGE, name=f"View {number}", query="", now=now)

    with pytest.raises(UnableToSaveView):
        save_view(user=anna, page=PAGE, name="One more", query="", now=now)
    save_view(user=anna, page=PAGE, name="View 3", query="q=x", now=now)

    assert SavedView.objects.filter(user=anna).count() == MOST_VIEWS


def test_columns_are_kept_once_per_list(anna: User, now: datetime) -> None:
    choose_columns(user=anna, page=PAGE, hidden=["trigger", "read"], now=now)
    choose_columns(user=anna, page=PAGE, hidden=["read", "<b>"], now=now)

    assert kept(anna) == [("", "", ["read"])]


def test_a_list_that_cannot_exist_is_refused(anna: User, now: datetime) -> None:
    with pytest.raises(UnableToSaveView):
        choose_columns(user=anna, page="../x", hidden=[], now=now)

    assert kept(anna) == []


def test_nobody_deletes_somebody_elses_view(anna: User, ben: User, now: datetime) -> None:
    view = save_view(user=anna, page=PAGE, name="Mine", query="", now=now)

    delete_view(user=ben, view_id=view.pk)
    assert kept(anna) == [("Mine", "", [])]

    delete_view(user=anna, view_id=view.pk)
    assert kept(anna) == []
