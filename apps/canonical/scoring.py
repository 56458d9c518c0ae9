"""How sure is it that two records are one thing: declared rules, each with points; their sum is the score.

A rule compares what both records say; where one says nothing the rule is silent. Points below zero speak against it,
and a contradiction (two tax numbers) ends the matter. Partners and customers may change the points and the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.canonical.names import core_name, digits, plain, similarity
from apps.canonical.promoted import account_domain, tax_number

SIMILAR = 0.82
UNLIKE = 0.45
NEVER = -1000


@dataclass(frozen=True, slots=True)
class Subject:
    """One side: its fields, and the ids of the records it refers to."""

    data: Mapping[str, Any]
    links: Mapping[str, Any] = field(default_factory=dict)


Compare = Callable[[Subject, Subject], float]


@dataclass(frozen=True, slots=True)
class MatchRule:
    """`compare` gives 0 (silent or not so) to 1 (wholly so); the points are multiplied with it.

    Without a `decisive` rule that speaks, others add up to a question at most: two firms of one group share a domain, a
    telephone and much of a name.
    """

    key: str
    label: str
    points: int
    compare: Compare
    decisive: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """`points` 0 to 100. `reasons` are the rules that spoke, the strongest first."""

    points: int
    reasons: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    merge: int
    ask: int
    weights: Mapping[str, int] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()


def _same(value: Callable[[Mapping[str, Any]], str]) -> Compare:
    def compare(left: Subject, right: Subject) -> float:
        first, second = value(left.data), value(right.data)
        return float(bool(first) and first == second)

    return compare


def _contrary(value: Callable[[Mapping[str, Any]], str]) -> Compare:
    def compare(left: Subject, right: Subject) -> float:
        first, second = value(left.data), value(right.data)
        return float(bool(first) and bool(second) and first != second)

    return compare


def _field(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda data: plain(data.get(name))


def _names(left: Subject, right: Subject) -> float:
    return similarity(left.data.get("name"), right.data.get("name"))


def _alike(left: Subject, right: Subject) -> float:
    found = _names(left, right)
    return found if SIMILAR <= found < 1 else 0.0


def _unlike(left: Subject, right: Subject) -> float:
    return float(_names(left, right) < UNLIKE)


def _same_link(name: str) -> Compare:
    def compare(left: Subject, right: Subject) -> float:
        first = left.links.get(name)
        return float(first is not None and first == right.links.get(name))

    return compare


def _name(data: Mapping[str, Any]) -> str:
    return " ".join(sorted(core_name(data.get("name")).split()))


def _tax(data: Mapping[str, Any]) -> str:
    return tax_number(dict(data))


def _domain(data: Mapping[str, Any]) -> str:
    return account_domain(dict(data))


def _phone(data: Mapping[str, Any]) -> str:
    return digits(data.get("phone"))


RULES: dict[str, tuple[MatchRule, ...]] = {
    "account": (
        MatchRule("tax", "Same tax number", 100, _same(_tax), decisive=True),
        MatchRule("other_tax", "Two tax numbers", NEVER, _contrary(_tax)),
        MatchRule("name", "Same name, legal form aside", 50, _same(_name), decisive=True),
        MatchRule("like_name", "Similar name", 35, _alike),
        MatchRule("domain", "Same domain", 40, _same(_domain)),
        MatchRule("email", "Same e-mail address", 30, _same(_field("email"))),
        MatchRule("number", "Same number", 30, _same(_field("number"))),
        MatchRule("phone", "Same telephone number", 25, _same(_phone)),
        MatchRule("unlike", "Quite different names", -20, _unlike),
    ),
    "contact": (
        MatchRule("email", "Same e-mail address", 90, _same(_field("email")), decisive=True),
        MatchRule("name", "Same name", 45, _same(_name), decisive=True),
        MatchRule("like_name", "Similar name", 30, _alike),
        MatchRule("account", "Same company", 25, _same_link("account")),
        MatchRule("phone", "Same telephone number", 30, _same(_phone)),
        MatchRule("unlike", "Quite different names", -20, _unlike),
    ),
    "resource": (
        MatchRule("email", "Same e-mail address", 90, _same(_field("email")), decisive=True),
        MatchRule("other_email", "Two e-mail addresses", -20, _contrary(_field("email"))),
        MatchRule("name", "Same name", 55, _same(_name), decisive=True),
        MatchRule("like_name", "Similar name", 30, _alike),
    ),
    "project": (
        MatchRule("code", "Same code", 90, _same(_field("code")), decisive=True),
        MatchRule("other_code", "Two codes", -40, _contrary(_field("code"))),
        MatchRule("name", "Same name", 45, _same(_name), decisive=True),
        MatchRule("like_name", "Similar name", 30, _alike),
        MatchRule("account", "Same company", 25, _same_link("account")),
    ),
}  # fmt: skip
# Shipped: a name with its domain, e-mail address or number is enough; a name alone has to be asked about.
DEFAULTS: dict[str, Thresholds] = {
    "account": Thresholds(merge=80, ask=50),
    "contact": Thresholds(merge=90, ask=60),
    "resource": Thresholds(merge=90, ask=50),
    "project": Thresholds(merge=90, ask=60),
}


def score(entity: str, left: Subject, right: Subject, thresholds: Thresholds | None = None) -> Score:
    """How sure the rules of `entity` are; 0 for entities without rules."""
    used = thresholds or DEFAULTS.get(entity, Thresholds(100, 100))
    reasons: list[dict[str, Any]] = []
    most = used.merge - 1
    for rule in RULES.get(entity, ()):
        if rule.key in used.disabled:
            continue
        points = round(used.weights.get(rule.key, rule.points) * rule.compare(left, right))
        if points > 0 and rule.decisive:
            most = 100
        if points:
            reasons.append({"rule": rule.key, "label": rule.label, "points": points})
    total = sum(reason["points"] for reason in reasons)
    ordered = sorted(reasons, key=lambda reason: -abs(reason["points"]))
    return Score(min(max(total, 0), most), tuple(ordered))
