"""What holds for all customers as a text: export, plan, apply."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command

from apps.canonical.models import MatchPolicy
from apps.canonical.scoring import RULES
from apps.canonical.services.policies import set_match_policy
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.flows.models import MappingOverride
from apps.flows.services import change_partner_fields, set_release_rules
from apps.flows.services.partner_configuration import apply_partner, export_partner, plan_partner
from apps.flows.services.planning import UnableToApply
from apps.monitoring.models import ExceptionRule
from apps.monitoring.services import RuleDraft, add_rule, switch_rule
from apps.sync.models import LogSettings, RunLimits
from apps.sync.services import save_limits
from apps.sync.services.keeping import update_log_settings
from tests.sync.conftest import fake_vendors

__all__ = ["fake_vendors"]


@pytest.fixture
def decided(partner, owner_actor, now):
    """A partner with something of its own in every part."""
    who = {"actor": owner_actor, "now": now}
    change_partner_fields(
        **who, vendor="fake_crm", direction="read", object_name="companies", fields={"phone": "trim(record.phone)"}
    )
    set_match_policy(**who, entity="account", customer=None, merge_score=95, ask_score=60, weights={"phone": 0})
    save_limits(**who, values={"per_connection": 2})
    update_log_settings(**who, hidden_fields=["*salary*"], days={"runs": {"success": 100}})
    add_rule(
        **who, draft=RuleDraft(name="Late task", entity="task", condition='record.status == "open"', within_days=3)
    )
    switch_rule(**who, key="project-without-contract", is_enabled=False)
    set_release_rules(**who, requires_review=True)
    return export_partner(owner_actor)


def wipe():
    for model in (MappingOverride, MatchPolicy, RunLimits, LogSettings, ExceptionRule):
        model.objects.all().delete()


def details(plan):
    return [(entry.section.key, d.name, d.before, d.after) for entry in plan.changes for d in entry.details]


def test_what_was_exported_is_made_again_and_again_changes_nothing(decided, owner_actor, now):
    same = plan_partner(actor=owner_actor, now=now, text=decided)
    wipe()
    made = apply_partner(actor=owner_actor, now=now, text=decided)

    assert same.is_empty
    assert sorted(entry.section.key for entry in made.changes) == [
        "exception_rules",
        "limits",
        "log",
        "mappings",
        "match_rules",
    ]
    assert export_partner(owner_actor) == decided
    assert (RunLimits.objects.get().per_connection, MappingOverride.objects.get().expression) == (
        2,
        "trim(record.phone)",
    )
    assert plan_partner(actor=owner_actor, now=now, text=decided).is_empty


def test_a_rule_is_the_same_with_blanks_around_its_words_or_named_as_it_is_shipped(decided, owner_actor, now):
    spaced = decided.replace("name: Late task", "name: ' Late task '")
    shipped = decided.replace("is_enabled: false", "is_enabled: true")
    assert len({decided, spaced, shipped}) == 3

    same = plan_partner(actor=owner_actor, now=now, text=spaced)
    apply_partner(actor=owner_actor, now=now, text=shipped)

    assert same.is_empty
    assert ExceptionRule.objects.get(key="project-without-contract").is_enabled
    assert plan_partner(actor=owner_actor, now=now, text=shipped).is_empty


def test_a_plan_tells_each_change_and_keeps_nothing(decided, owner_actor, now):
    text = decided.replace("per_connection: 2", "per_connection: 5").replace("phone: trim(record.phone)", "phone: ''")

    found = plan_partner(actor=owner_actor, now=now, text=text)

    assert details(found) == [
        ("limits", "per_connection", "2", "5"),
        ("mappings", "fake_crm › read › companies › phone", "trim(record.phone)", "left out"),
    ]
    assert found.problems == []
    assert export_partner(owner_actor) == decided


def test_what_the_text_does_not_name_stays_and_what_it_names_is_exact(decided, owner_actor, now):
    apply_partner(actor=owner_actor, now=now, text="kind: partner\nexception_rules: {}\nlimits: {per_customer: 3}\n")

    limits = RunLimits.objects.get()
    assert (limits.per_customer, limits.per_connection) == (3, None)
    assert not ExceptionRule.objects.filter(is_shipped=False).exists()
    assert ExceptionRule.objects.get(key="project-without-contract").is_enabled
    assert MappingOverride.objects.count() == 1


def test_mappings_and_match_rules_that_a_named_part_leaves_out_are_as_shipped_again(decided, owner_actor, now):
    mappings = "mappings: {fake_crm: {read: {companies: {website: record.url}}}}"
    apply_partner(actor=owner_actor, now=now, text=f"kind: partner\n{mappings}\nmatch_rules: {{}}\n")

    assert [(row.field, row.expression) for row in MappingOverride.objects.all()] == [("website", "record.url")]
    assert not MatchPolicy.objects.exists()
    apply_partner(actor=owner_actor, now=now, text="kind: partner\nmappings: {}\n")
    assert not MappingOverride.objects.exists()


def test_points_that_are_the_shipped_ones_are_no_change(decided, owner_actor, now):
    shipped = {rule.key: rule.points for rule in RULES["account"]} | {"phone": 0}
    points = ", ".join(f"{key}: {number}" for key, number in shipped.items())
    text = f"kind: partner\nmatch_rules: {{account: {{merge_score: 95, ask_score: 60, points: {{{points}}}}}}}\n"

    assert plan_partner(actor=owner_actor, now=now, text=text).is_empty


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: partner\nlimit: {}\n", "Line 2, limit: There is no such part"),
        ("kind: partner\n~: {}\n", "Line 1, None: There is no such part"),
        ("kind: customer\n", "Line 1, kind: This is no configuration of a partner"),
        ("kind: partner\nlimits:\n  per_customer: many\n", "Line 3, limits.per_customer: Expected `int | null`"),
        ("kind: partner\nmappings:\n", "Line 2, mappings: Expected `object`, got `null`"),
    ],
)
def test_a_mistake_is_told_at_its_line(text, told, partner, owner_actor, now):
    with pytest.raises(UnableToApply) as refused:
        plan_partner(actor=owner_actor, now=now, text=text)

    assert refused.value.user_message.startswith(told)


def test_what_a_service_refuses_is_a_problem_of_the_plan_and_nothing_is_applied(decided, owner_actor, now):
    text = "kind: partner\nlimits: {per_customer: 4}\nmappings: {fake_crm: {read: {companies: {phone: shout(record.phone)}}}}\n"

    found = plan_partner(actor=owner_actor, now=now, text=text)
    with pytest.raises(UnableToApply, match="Mappings for all customers: "):
        apply_partner(actor=owner_actor, now=now, text=text)

    assert [(entry.section.key, len(entry.problems)) for entry in found.entries] == [("limits", 0), ("mappings", 1)]
    assert export_partner(owner_actor) == decided


RULE = (
    "kind: partner\nexception_rules: {{late: {{name: Late, entity: invoice, condition: record.number == null, {}}}}}\n"
)
MATCHES = "kind: partner\nmatch_rules: {{account: {{merge_score: 90, ask_score: 50, points: {{{}: {}}}}}}}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RULE.replace("name: Late", f"name: {'n' * 121}").format("solver: partner"), "Take at most 120 characters"),
        (RULE.format(f"next_step: {'n' * 401}"), "Take at most 400 characters"),
        (RULE.format(f"amount: {'record.' + 'n' * 500}"), "Take at most 500 characters"),
        (RULE.format("solver: nobody"), "Use one of partner, customer"),
        (RULE.replace("name: Late", "name: ' '").format("solver: partner"), "Give the rule a name"),
        (MATCHES.format(RULES["account"][0].key, 101), "Give points from -1,000 to 100"),
        (MATCHES.format(RULES["account"][0].key, -1001), "Give points from -1,000 to 100"),
    ],
)
def test_what_no_form_would_take_is_refused_in_a_text_too(text, told, partner, owner_actor, now):
    found = plan_partner(actor=owner_actor, now=now, text=text)

    assert next(problem for entry in found.entries for problem in entry.problems).startswith(told)


def test_everybody_sees_and_changes_their_own_parts(decided, owner_actor, now):
    engineer = replace(owner_actor, permissions=owner_actor.permissions - {"security.manage"})
    of_one = replace(owner_actor, scope=frozenset())

    assert "\nlog:" not in export_partner(engineer)
    assert "\nmappings:" in export_partner(engineer)
    with pytest.raises(UnableToApply, match="not yours to change"):
        apply_partner(actor=engineer, now=now, text="kind: partner\nreleases: {requires_review: false}\n")
    for other in (of_one, replace(owner_actor, permissions=frozenset({"integrations.manage"}))):
        with pytest.raises(NotPermitted):
            export_partner(other)


def test_a_key_does_not_end_the_review_by_a_second_person(decided, owner_actor, now):
    key = Actor(ActorKind.API_KEY, owner_actor.id, "Key", owner_actor.permissions, scope=None)

    with pytest.raises(UnableToApply, match="People decide this"):
        apply_partner(actor=key, now=now, text="kind: partner\nreleases: {requires_review: false}\n")


def test_the_command_line_takes_the_same_text(decided, partner, owner_actor, tmp_path):
    file = tmp_path / "partner.yaml"
    text = decided.replace("per_connection: 2", "per_connection: 5")
    file.write_text(f"# Ours, since October.\n{text}", encoding="utf-8")
    out = StringIO()

    call_command("configuration", "apply", partner=partner.slug, file=str(file), stdout=out)

    assert out.getvalue().splitlines() == ["change: Limits of runs", "  per_connection: 2 → 5", "Applied."]
    assert RunLimits.objects.get().per_connection == 5
