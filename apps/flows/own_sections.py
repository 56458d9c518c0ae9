"""What stands in the partner's configuration of what flows keep: its layer of mappings, match rules, releases."""

from __future__ import annotations

from datetime import datetime

from apps.canonical.models import MatchPolicy
from apps.canonical.scoring import RULES
from apps.canonical.services.policies import reset_match_policy, set_match_policy
from apps.core.actor import Actor
from apps.flows.definition import Direction, Part
from apps.flows.layers import as_direction
from apps.flows.models import MappingOverride
from apps.flows.sections import Data, Section, register_section
from apps.flows.services.partner_layer import change_partner_fields
from apps.flows.services.release_rules import find_release_rules, set_release_rules

# By system, direction, object and field.
Mappings = dict[str, dict[Direction, dict[str, dict[str, str]]]]


class MatchRulesDoc(Part, frozen=True):
    """Points of rules that are not named are those shipped."""

    merge_score: int
    ask_score: int
    points: dict[str, int] = {}


class ReleasesDoc(Part, frozen=True):
    requires_review: bool = False


def describe_mappings() -> Mappings:
    found: Mappings = {}
    for row in MappingOverride.objects.filter(integration=None).order_by("vendor", "direction", "object_name", "field"):
        objects = found.setdefault(row.vendor, {}).setdefault(as_direction(row.direction), {})
        objects.setdefault(row.object_name, {})[row.field] = row.expression
    return found


def change_mappings(actor: Actor, now: datetime, wanted: Mappings) -> None:
    """Raises UnableToMap, NotVisible, NotPermitted."""
    there, asked = _by_object(describe_mappings()), _by_object(wanted)
    for place in sorted({*there, *asked}):
        before, after = there.get(place, {}), asked.get(place, {})
        changes: dict[str, str | None] = {name: after.get(name) for name in before.keys() - after.keys()}
        changes |= {name: source for name, source in after.items() if before.get(name) != source}
        if changes:
            vendor, direction, object_name = place
            change_partner_fields(
                actor=actor, now=now, vendor=vendor, direction=direction, object_name=object_name, fields=changes
            )


def _by_object(mappings: Mappings) -> dict[tuple[str, Direction, str], dict[str, str]]:
    return {
        (vendor, direction, object_name): fields
        for vendor, directions in mappings.items()
        for direction, objects in directions.items()
        for object_name, fields in objects.items()
    }


def describe_match_rules() -> dict[str, MatchRulesDoc]:
    rows = MatchPolicy.objects.filter(owner_key="").order_by("entity")
    return {
        row.entity: MatchRulesDoc(
            merge_score=row.merge_score, ask_score=row.ask_score,
            points=dict(sorted({**row.weights, **dict.fromkeys(row.disabled, 0)}.items())),
        )
        for row in rows
    }  # fmt: skip


def normal_match_rules(wanted: dict[str, MatchRulesDoc]) -> dict[str, MatchRulesDoc]:
    """Without points that are the shipped ones."""
    shipped = {entity: {rule.key: rule.points for rule in rules} for entity, rules in RULES.items()}
    return {
        entity: MatchRulesDoc(
            merge_score=doc.merge_score, ask_score=doc.ask_score,
            points={key: points for key, points in doc.points.items() if shipped.get(entity, {}).get(key) != points},
        )
        for entity, doc in wanted.items()
    }  # fmt: skip


def change_match_rules(actor: Actor, now: datetime, wanted: dict[str, MatchRulesDoc]) -> None:
    """Raises UnableToChangePolicy, NotPermitted."""
    there = describe_match_rules()
    for entity in sorted(there.keys() - wanted.keys()):
        reset_match_policy(actor=actor, now=now, entity=entity, customer=None)
    for entity, doc in wanted.items():
        if there.get(entity) != doc:
            set_match_policy(
                actor=actor, now=now, entity=entity, customer=None, merge_score=doc.merge_score,
                ask_score=doc.ask_score, weights=doc.points,
            )  # fmt: skip


def describe_releases() -> Data:
    return {"requires_review": find_release_rules().requires_review}


def change_releases(actor: Actor, now: datetime, wanted: ReleasesDoc) -> None:
    """The end of the review is asked for here, too: it takes a second person. Raises NotPermitted."""
    set_release_rules(actor=actor, now=now, requires_review=wanted.requires_review)


def register() -> None:
    register_section(
        Section(
            "mappings", "Mappings for all customers", Mappings, "templates.manage", describe_mappings, change_mappings
        )
    )
    register_section(
        Section(
            "match_rules",
            "Match rules",
            dict[str, MatchRulesDoc],
            "integrations.manage",
            describe_match_rules,
            change_match_rules,
            normal_match_rules,
        )
    )
    register_section(
        Section("releases", "Releases", ReleasesDoc, "security.manage", describe_releases, change_releases)
    )
