"""The people who know the company are asked, too."""

from __future__ import annotations

from apps.canonical.models import FieldQuestion, MatchQuestion, RecordMerge
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


def test_the_administrator_says_which_value_is_right(harbor: World, stranger: World, browse: SignIn) -> None:
    question = harbor.value_question
    assert question is not None
    page, admin = f"/needs/values/{question.pk}/", browse(harbor.admin)
    body = admin.get("/needs/").content.decode()
    assert f"{question.connection.name} says:" in body
    assert page in body
    overview = admin.get("/").content.decode()
    assert "Two questions only you can answer" in overview
    refused = [browse(harbor.viewer).post(page).status_code, browse(stranger.admin).post(page).status_code]
    assert refused == [403, 404]
    assert "Choose one of the two values." in admin.post(page, {"answer": "x"}, follow=True).content.decode()

    told = admin.post(page, {"answer": "theirs"}, follow=True).content.decode()

    assert f"The phone of {question.record} is settled." in told
    answered = FieldQuestion.objects.get(pk=question.pk)
    harbor.records["account"].refresh_from_db()
    assert (answered.answer, answered.answered_by_label) == ("theirs", harbor.admin.name)
    assert harbor.records["account"].data["phone"] == "2"
    assert "One question only you can answer" in admin.get("/").content.decode()


def test_the_administrator_says_which_record_is_right_where_they_differ(harbor: World, browse: SignIn) -> None:
    assert harbor.question is not None
    browse(harbor.admin).post(f"{page_of(harbor)}same/", {"take": "name"})

    merge = RecordMerge.objects.get(customer=harbor.customer, merged_by_label=harbor.admin.name)
    assert merge.kept.data["name"] == f"Harbour of {harbor.customer.name}"
