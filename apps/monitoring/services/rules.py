"""Rules: the shipped ones, changed or switched off, and the partner's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from apps.audit.services import record_change
from apps.canonical.models import Entity
from apps.connectors.sdk.entities import ENTITIES
from apps.core.actor import Actor
from apps.core.bulk import lock_for_transaction
from apps.core.errors import AnticipatedError
from apps.core.expressions import ExpressionError, compile_one
from apps.flows.definition import Part
from apps.monitoring.conditions import demand_clauses
from apps.monitoring.library import SHIPPED, shipped_values
from apps.monitoring.models import ExceptionRule, Solver
from apps.monitoring.paths import read_ways
from apps.monitoring.services.queueing import evaluate_everywhere

LONGEST_DELAY = 730
MOST_RULES = 100
# One rule is added at a time: each has a key of its own, and there is an end to them. The number only has to be nobody else's.
RULES_LOCK = UUID("3d0c6f0e-6a55-4b0b-8f0e-5f8a3f4f0c11")


class UnableToSaveRule(AnticipatedError):
    """The rule cannot be carried out as it is written."""


class RuleDraft(Part, frozen=True, kw_only=True):
    """What a person writes down; see `ExceptionRule`."""

    name: str
    entity: str
    description: str = ""
    next_step: str = ""
    condition: str = ""
    only_if: str = ""
    expectation: str = ""
    expected: str = ""
    only_where_known: bool = False
    within_days: int = 0
    counted_from: str = ""
    amount: str = ""
    solver: str = Solver.PARTNER.value

    def values(self) -> dict[str, Any]:
        texts = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value.strip() if isinstance(value, str) else value for name, value in texts.items()}


def draft_of(rule: ExceptionRule) -> RuleDraft:
    return RuleDraft(**{name: getattr(rule, name) for name in RuleDraft.__struct_fields__})


def ensure_rules(now: datetime) -> None:
    """This function will add shipped rules that are not there yet; changed ones stay as they are."""
    known = set(ExceptionRule.objects.filter(is_shipped=True).values_list("key", flat=True))
    missing = [spec for spec in SHIPPED if spec.key not in known]
    ExceptionRule.objects.bulk_create(
        [ExceptionRule(id=spec.id, is_shipped=True, changed_at=now, **shipped_values(spec)) for spec in missing],
        ignore_conflicts=True,
    )


@transaction.atomic
def add_rule(*, actor: Actor, now: datetime, draft: RuleDraft) -> ExceptionRule:
    """This function will add a rule of the partner's own. Raises UnableToSaveRule, UnableToRead, NotPermitted."""
    _demand_partner(actor)
    check_draft(draft)
    lock_for_transaction(RULES_LOCK)
    if ExceptionRule.objects.count() >= MOST_RULES:
        raise UnableToSaveRule(f"There are {MOST_RULES} rules already. Remove one that is not used.")
    rule = ExceptionRule.objects.create(
        key=_free_key(draft.name), changed_at=now, changed_by_label=actor.label, **draft.values()
    )
    _settle(actor, now, rule, "added", before=None)
    return rule


@transaction.atomic
def save_rule(*, actor: Actor, now: datetime, key: str, draft: RuleDraft) -> ExceptionRule:
    """This function will change the rule. Its kind of record stays. Raises UnableToSaveRule, UnableToRead."""
    _demand_partner(actor)
    rule = _lock(key, now)
    if draft.entity != rule.entity:
        raise UnableToSaveRule("A rule keeps its kind of record. Add another rule instead.", field="entity")
    check_draft(draft)
    before = draft_of(rule).values()
    for name, value in draft.values().items():
        setattr(rule, name, value)
    rule.changed_at, rule.changed_by_label = now, actor.label
    rule.save()
    _settle(actor, now, rule, "changed", before=before)
    return rule


@transaction.atomic
def switch_rule(*, actor: Actor, now: datetime, key: str, is_enabled: bool) -> ExceptionRule:
    """This function will switch the rule on or off. Off, whatever it opened is resolved."""
    _demand_partner(actor)
    rule = _lock(key, now)
    if rule.is_enabled != is_enabled:
        rule.is_enabled, rule.changed_at, rule.changed_by_label = is_enabled, now, actor.label
        rule.save(update_fields=["is_enabled", "changed_at", "changed_by_label"])
        _settle(actor, now, rule, "switched_on" if is_enabled else "switched_off", before=None)
    return rule


@transaction.atomic
def remove_rule(*, actor: Actor, now: datetime, key: str) -> None:
    """This function will delete an own rule with what it found, or give a shipped one its shipped words again."""
    _demand_partner(actor)
    rule = _lock(key, now)
    before = draft_of(rule).values()
    spec = next((spec for spec in SHIPPED if spec.key == key), None)
    if spec is None:
        record_change(actor=actor, now=now, target=rule, action="exception_rule.removed", before=before)
        rule.delete()
        return
    for name, value in shipped_values(spec).items():
        setattr(rule, name, value)
    rule.is_enabled, rule.changed_at, rule.changed_by_label = True, now, actor.label
    rule.save()
    _settle(actor, now, rule, "reset", before=before)


def _demand_partner(actor: Actor) -> None:
    """Rules hold for all customers: no key of one may touch them. Raises NotPermitted."""
    actor.require("integrations.manage")
    actor.require_sight_of_all("Only a key of the partner may do this.")


def check_draft(draft: RuleDraft) -> None:
    """Raises UnableToSaveRule, UnableToRead: with the field that is wrong."""
    _check_texts(draft)
    if draft.entity not in Entity.values:
        raise UnableToSaveRule("There is no such kind of record.", field="entity")
    if not draft.condition.strip() and not draft.expectation.strip():
        raise UnableToSaveRule("Say which records it is about, or what they must lead to.", field="condition")
    if not 0 <= draft.within_days <= LONGEST_DELAY:
        raise UnableToSaveRule(f"Give between 0 and {LONGEST_DELAY} days.", field="within_days")
    for name in ("expectation", "only_if"):
        read_ways(getattr(draft, name), draft.entity, name)
    if draft.expected.strip() and not draft.expectation.strip():
        raise UnableToSaveRule("This is about the linked record: say which.", field="expected")
    demand_clauses(draft.expected, "expected")
    if draft.counted_from and draft.counted_from not in date_fields(draft.entity):
        raise UnableToSaveRule("There is no such date.", field="counted_from")
    for name in ("condition", "amount"):
        _check_expression(getattr(draft, name), name)


def _check_texts(draft: RuleDraft) -> None:
    """Raises UnableToSaveRule: with the text that no rule has room for, or that is none of those offered."""
    if not draft.name.strip():
        raise UnableToSaveRule("Give the rule a name.", field="name")
    if draft.solver not in Solver.values:
        raise UnableToSaveRule(f"Use one of {', '.join(Solver.values)}.", field="solver")
    for name, value in draft.values().items():
        longest = getattr(ExceptionRule._meta.get_field(name), "max_length", None)
        if isinstance(value, str) and longest is not None and len(value) > longest:
            raise UnableToSaveRule(f"Take at most {longest:,} characters.", field=name)


def date_fields(entity: str) -> list[str]:
    """The dates of a kind of record."""
    return [name for name in ENTITIES[entity].__struct_fields__ if name.endswith("_date")]


def _check_expression(source: str, name: str) -> None:
    if not source.strip():
        return
    try:
        compile_one(source)
    except ExpressionError as error:
        raise UnableToSaveRule(f"This expression cannot be read: {error.message}.", field=name) from error


def _lock(key: str, now: datetime) -> ExceptionRule:
    ensure_rules(now)
    rule = ExceptionRule.objects.select_for_update().filter(key=key).first()
    if rule is None:
        raise UnableToSaveRule("There is no such rule.")
    return rule


def _free_key(name: str) -> str:
    stem = slugify(name)[:50] or "rule"
    taken = set(ExceptionRule.objects.filter(key__startswith=stem).values_list("key", flat=True))
    taken |= {spec.key for spec in SHIPPED}
    return stem if stem not in taken else next(k for k in (f"{stem}-{n}" for n in range(2, 1000)) if k not in taken)


def _settle(actor: Actor, now: datetime, rule: ExceptionRule, what: str, *, before: dict[str, Any] | None) -> None:
    """Everything is looked at anew: the rule may hold for records that did not change."""
    record_change(
        actor=actor, now=now, target=rule, action=f"exception_rule.{what}", before=before, after=draft_of(rule).values()
    )
    evaluate_everywhere(now=now)
