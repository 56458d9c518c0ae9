from __future__ import annotations

from uuid import UUID

import pytest

from apps.canonical.matching import decide
from apps.canonical.names import core_name, similarity, skeleton
from apps.canonical.scoring import DEFAULTS, Score, Subject, Thresholds, score

VULCAN = {"name": "Vulcan Industries GmbH", "domain": "vulcan.example"}
CASES = [
    ("tax number alone", "account", {"name": "V", "tax_id": "DE 1"}, {"name": "Forge", "tax_id": "de1"}, 80, "merge"),
    ("two tax numbers", "account", {**VULCAN, "tax_id": "DE1"}, {**VULCAN, "tax_id": "DE2"}, 0, "new"),
    ("legal form aside, same domain", "account", VULCAN, {"name": "Vulcan Industries Ltd.", "website": "https://vulcan.example"}, 90, "merge"),
    ("name and number", "account", {"name": "Vulcan", "number": "7"}, {"name": "VULCAN", "number": "7"}, 80, "merge"),
    ("name and private address", "account", {"name": "Vulcan", "email": "v@gmail.com"}, {"name": "vulcan", "email": "V@gmail.com"}, 80, "merge"),
    ("name alone", "account", {"name": "Vulcan"}, {"name": "Vulcan AG"}, 50, "ask"),
    ("similar name, same domain", "account", {"name": "Vulcan Industries", "domain": "v.example"}, {"name": "Volcan Industries", "domain": "v.example"}, 73, "ask"),
    ("same domain, other name", "account", {"name": "Vulcan", "domain": "v.example"}, {"name": "Hephaistos", "domain": "v.example"}, 20, "new"),
    ("number alone", "account", {"name": "Vulcan", "number": "7"}, {"name": "Hephaistos", "number": "7"}, 10, "new"),
    ("two firms of a group", "account", {"name": "Vulcan North", "domain": "v.example", "phone": "+49 30 123456", "email": "i@v.example"},
     {"name": "Vulcan Nord", "domain": "v.example", "phone": "030 123456", "email": "i@v.example"}, 79, "ask"),
    ("numbered branches", "account", {"name": "Branch 112", "domain": "v.example"}, {"name": "Branch 12", "domain": "v.example"}, 20, "new"),
    ("contact's address", "contact", {"name": "Ann Lee", "email": "ann@v.example"}, {"name": "Lee, Ann", "email": "ANN@v.example"}, 100, "merge"),
    ("shared mailbox", "contact", {"name": "Ann Lee", "email": "info@v.example"}, {"name": "Bob Stone", "email": "info@v.example"}, 70, "ask"),
    ("contact's name alone", "contact", {"name": "Ann Lee"}, {"name": "Ann Lee"}, 45, "new"),
    ("person by name alone", "resource", {"name": "Ann Lee"}, {"name": "Ann Lee"}, 55, "ask"),
    ("people with two addresses", "resource", {"name": "Ann Lee", "email": "a@v.example"}, {"name": "Ann Lee", "email": "b@v.example"}, 35, "new"),
    ("project by code", "project", {"name": "Forge", "code": "F-1"}, {"name": "Forge", "code": "f-1"}, 100, "merge"),
    ("invoices have no rules", "invoice", {"number": "1"}, {"number": "1"}, 0, "new"),
]  # fmt: skip


@pytest.mark.parametrize("case, entity, left, right, points, outcome", CASES)
def test_points_add_up_to_a_decision(case, entity, left, right, points, outcome):
    found = score(entity, Subject(left), Subject(right))

    assert found.points == points
    thresholds = DEFAULTS.get(entity, Thresholds(100, 100))
    decided = "merge" if points >= thresholds.merge else "ask" if points >= thresholds.ask else "new"
    assert decided == outcome
    assert score(entity, Subject(right), Subject(left)).points == points


def test_the_same_company_makes_a_name_enough_to_ask():
    left, right = (Subject({"name": "Ann Lee"}, {"account": 1}) for _ in range(2))

    assert score("contact", left, right) == Score(
        70,
        (
            {"rule": "name", "label": "Same name", "points": 45},
            {"rule": "account", "label": "Same company", "points": 25},
        ),
    )


def test_names_are_compared_without_their_clothes():
    assert core_name("Müller & Söhne GmbH & Co. KG") == "muller sohne"
    assert core_name("SE") == "se"
    assert skeleton("Mueller Soehne") == skeleton("Söhne, Müller GmbH") == "mlr shn"
    assert similarity("Ann Lee", "Lee Ann") == 1.0
    assert similarity("", "") == 0.0
    assert similarity("Branch 112", "Branch 12") == 0.0
    assert skeleton("Branch 112") != skeleton("Branch 12")


ONE, TWO = UUID(int=1), UUID(int=2)


def test_one_clear_winner_is_taken_and_two_are_asked_about():
    new = {"c1": Subject(VULCAN), "c2": Subject(VULCAN)}
    known = {ONE: Subject(VULCAN), TWO: Subject(VULCAN)}

    taken = decide("account", new, {"c1": {ONE}, "c2": {ONE}}, known)
    asked = decide("account", new, {"c1": {ONE, TWO}}, known)

    assert (taken.matched, taken.doubts) == ({"c1": ONE}, {})
    assert asked.matched == {}
    assert [doubt.record_id for doubt in asked.doubts["c1"]] == [ONE, TWO]


def test_thresholds_and_points_can_be_changed():
    strict = Thresholds(merge=95, ask=60, weights={"name": 60}, disabled=frozenset({"domain"}))

    verdict = decide("account", {"c1": Subject(VULCAN)}, {"c1": {ONE}}, {ONE: Subject(VULCAN)}, strict)

    assert verdict.matched == {}
    assert verdict.doubts["c1"][0].score.points == 60
