"""The people who know the company are asked, too."""

from __future__ import annotations

from apps.canonical.models import MatchQuestion, RecordMerge
from tests.browsing import Browser
from tests.factories.world import World
from tests.functional.conftest import SignIn


def page_of(world: World) -> str:
    assert world.question is not None
    return f"/needs/questions/{world.question.pk}/"


def test_an_administrator_answers(harbor: World, browse: SignIn) -> None:
    admin = browse(harbor.admin)
    assert page_of(harbor) in admin.get("/needs/").content.decode()
    assert "Are these two the same?" in admin.get(page_of(harbor)).content.decode()

    answer = admin.post(f"{page_of(harbor)}same/")

    assert (answer.status_code, answer["Location"]) == (302, "/needs/")
    assert RecordMerge.objects.filter(customer=harbor.customer, merged_by_label=harbor.admin.name).count() == 1
    assert page_of(harbor) not in admin.get("/needs/").content.decode()
    assert admin.get(page_of(harbor)).status_code == 404


def test_nobody_else_does(harbor: World, stranger: World, browse: SignIn) -> None:
    answers = [
        browse(harbor.viewer).post(f"{page_of(harbor)}different/").status_code,
        browse(stranger.admin).post(f"{page_of(harbor)}different/").status_code,
        browse(harbor.admin).post(f"{page_of(harbor)}perhaps/").status_code,
        Browser().post(f"{page_of(harbor)}different/").status_code,
    ]

    assert answers == [403, 404, 404, 302]
    assert MatchQuestion.objects.get(customer=harbor.customer).status == "open"
    assert "Your administrator can answer this." in browse(harbor.viewer).get(page_of(harbor)).content.decode()


def test_different_is_told_in_words(harbor: World, browse: SignIn) -> None:
    admin = browse(harbor.admin)
    body = admin.post(f"{page_of(harbor)}different/", follow=True).content.decode()

    assert "stay two. You are not asked again." in body
