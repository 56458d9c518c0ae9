"""Rules of business exceptions as a part of the partner's configuration."""

from __future__ import annotations

from datetime import datetime

from apps.core.actor import Actor
from apps.flows.sections import Section, register_section
from apps.monitoring.library import SHIPPED, unsaved
from apps.monitoring.models import ExceptionRule
from apps.monitoring.services.rules import (
    RuleDraft,
    UnableToSaveRule,
    add_rule,
    draft_of,
    remove_rule,
    save_rule,
    switch_rule,
)


class RuleDoc(RuleDraft, frozen=True, kw_only=True):
    """What a person writes down, and whether it is looked at."""

    is_enabled: bool = True

    @property
    def draft(self) -> RuleDraft:
        return RuleDraft(**{name: getattr(self, name) for name in RuleDraft.__struct_fields__})


def describe_rules() -> dict[str, RuleDoc]:
    """Own rules, and shipped ones that were changed or switched off."""
    shipped, found = _shipped(), {}
    for rule in ExceptionRule.objects.order_by("key"):
        doc = RuleDoc(**draft_of(rule).values(), is_enabled=rule.is_enabled)
        if doc != shipped.get(rule.key):
            found[rule.key] = doc
    return found


def _shipped() -> dict[str, RuleDoc]:
    return {spec.key: RuleDoc(**draft_of(unsaved(spec)).values()) for spec in SHIPPED}


def normal_rules(wanted: dict[str, RuleDoc]) -> dict[str, RuleDoc]:
    """Without spaces around their words, and without rules that are as shipped."""
    shipped = _shipped()
    docs = {key: RuleDoc(**doc.values()) for key, doc in wanted.items()}
    return {key: doc for key, doc in docs.items() if doc != shipped.get(key)}


def change_rules(actor: Actor, now: datetime, wanted: dict[str, RuleDoc]) -> None:
    """Rules that are not named are removed, or have their shipped words again. Raises UnableToSaveRule, UnableToRead."""
    there = describe_rules()
    for key in sorted(there.keys() - wanted.keys()):
        remove_rule(actor=actor, now=now, key=key)
    known = {spec.key for spec in SHIPPED} | there.keys()
    for key, doc in wanted.items():
        if there.get(key) == doc:
            continue
        if key in known:
            save_rule(actor=actor, now=now, key=key, draft=doc.draft)
        else:
            made = add_rule(actor=actor, now=now, draft=doc.draft)
            if made.key != key:
                raise UnableToSaveRule(
                    f"A rule called “{doc.name}” has the key {made.key}: write that instead of {key}."
                )
        switch_rule(actor=actor, now=now, key=key, is_enabled=doc.is_enabled)


def register() -> None:
    register_section(
        Section(
            "exception_rules",
            "Business exceptions",
            dict[str, RuleDoc],
            "integrations.manage",
            describe_rules,
            change_rules,
            normal_rules,
        )
    )
