"""Integrations as a text: export, plan, apply, and promotion from the sandbox."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.connectors.models import Connection
from apps.customers.models import Environment
from apps.flows.configuration import export_environment
from apps.flows.models import Integration
from apps.flows.services import (
    change_settings,
    deploy_integration,
    go_live,
    pause_integration,
    publish_mappings,
    save_mapping,
    set_field_policy,
    set_release_rules,
)
from apps.flows.services.configuration import apply_configuration
from apps.flows.services.planning import UnableToApply, plan_configuration
from apps.flows.services.promotion import UnableToPromote, plan_promotion, promote_integration
from tests.sync.conftest import make_environment

ROLES = ("crm", "erp", "delivery")
PLACE = ("crm", "read", "companies")


@pytest.fixture
def integration(deploy, owner_actor, now):
    return go_live(actor=owner_actor, now=now, integration=deploy("opportunity-to-project"))


@pytest.fixture
def plan(owner_actor):
    return lambda text, place=None: plan_configuration(actor=owner_actor, text=text, environment=place)


@pytest.fixture
def apply(owner_actor, now):
    def carry_out(text, place=None, **options):
        return apply_configuration(actor=owner_actor, now=now, text=text, environment=place, **options)

    return carry_out


def copied(systems, environment):
    """The same systems, by name, at another place."""
    made = {}
    for role, connection in systems.items():
        row = Connection.objects.get(pk=connection.pk)
        row.id, row.environment, row.customer = Connection._meta.pk.default(), environment, environment.customer
        row.webhook_token = f"{environment.pk.hex}-{role}"
        row._state.adding = True
        row.save(force_insert=True)
        made[role] = row
    return made


def map_own(integration, actor, now, **fields):
    save_mapping(actor=actor, now=now, integration=integration, place=PLACE, fields=fields)
    publish_mappings(actor=actor, now=now, integration=integration, accepted=True)


def settle(integration, actor, now):
    given = {**integration.settings, "first_task": 'Begin: "now"\n# and here', "project_prefix": "on"}
    change_settings(actor=actor, now=now, integration=integration, name=integration.name, settings=given)


def answer(integration, actor, now):
    set_field_policy(
        actor=actor,
        now=now,
        integration=integration,
        entity="account",
        field="name",
        policy="system_of_record",
        role="erp",
    )
    set_field_policy(actor=actor, now=now, integration=integration, entity="account", field="@deleted", policy="ignore")


CHANGES = {
    "as deployed": [],
    "settings with odd texts": [settle],
    "mappings": [lambda i, a, n: map_own(i, a, n, phone='text(record.phone) + "é: #"', email="")],
    "policies": [answer],
    "paused": [lambda i, a, n: pause_integration(actor=a, now=n, integration=i)],
    "all": [settle, answer, lambda i, a, n: map_own(i, a, n, phone="trim(record.phone)")],
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_what_was_exported_is_nothing_to_apply_and_makes_the_same_elsewhere(
    integration, environment, systems, owner_actor, now, plan, apply, changes
):
    for change in changes:
        change(integration, owner_actor, now)
    text = export_environment(environment)
    other = make_environment(now, "elsewhere")
    copied(systems, other)

    assert plan(text).is_empty
    assert [entry.action for entry in plan(text, other).entries] == ["create"]
    apply(text, other)
    assert plan(text, other).is_empty
    assert export_environment(other) == text.replace("customer: northwind", "customer: elsewhere")
    before = Integration.objects.get(environment=other).revisions.count()
    apply(text, other)
    assert Integration.objects.get(environment=other).revisions.count() == before


def test_the_plan_names_what_changes_and_applying_does_it(integration, environment, owner_actor, now, plan, apply):
    map_own(integration, owner_actor, now, phone="trim(record.phone)")
    text = export_environment(environment)
    changed = text.replace("first_task: Kick-off", "first_task: Begin").replace(
        "trim(record.phone)", "text(record.phone)"
    )

    found = plan(changed)
    apply(changed)

    assert [(e.action, [(d.name, d.before, d.after) for d in e.details]) for e in found.entries] == [
        ("change", [
            ("settings first_task", "Kick-off", "Begin"),
            ("mappings crm read companies phone", "trim(record.phone)", "text(record.phone)"),
        ]),
    ]  # fmt: skip
    integration.refresh_from_db()
    assert integration.settings["first_task"] == "Begin"
    assert integration.mapping_overrides.get().expression == "text(record.phone)"
    assert plan(changed).is_empty
    apply(text)
    assert export_environment(environment) == text


def test_what_is_missing_is_retired_only_when_asked_for(integration, environment, plan, apply):
    empty = "kind: customer\ncustomer: northwind\nenvironment: production\n"

    assert [(e.action, e.name) for e in plan(empty).changes] == [("remove", "Opportunity to project")]
    apply(empty)
    integration.refresh_from_db()
    assert integration.status == "live"
    apply(empty, with_removals=True)
    integration.refresh_from_db()
    assert integration.status == "retired"


MISTAKES = [
    ("template: opportunity-to-project", "template: none", "Line 5, integrations[0]: There is no template none 1.0.0."),
    (
        "crm: CRM",
        "crm: Nobody",
        "Line 9, integrations[0].systems.crm: There is no connection “Nobody” at this customer.",
    ),
    ("first_task:", "first_tusk:", "Line 14, integrations[0].settings.first_tusk: There is no such setting."),
    ("status: live", "status: asleep", "Line 12, integrations[0].status: Invalid enum value 'asleep'."),
    (
        "status: live",
        "status: draft",
        "Line 12, integrations[0].status: It is live already and cannot be a draft again.",
    ),
    ("won-opportunities:", "lost:", "Line 17, integrations[0].starts.lost: The template has no flow lost."),
    ("customer: northwind", "customer: nobody", "There is no customer “nobody”."),
]


@pytest.mark.parametrize("before, after, message", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_nothing_is_done(
    integration, environment, plan, apply, before, after, message
):
    text = export_environment(environment)
    assert before in text
    broken = text.replace(before, after, 1)

    with pytest.raises(UnableToApply) as raised:
        apply(broken)
    assert raised.value.user_message == message
    assert export_environment(environment) == text


def test_what_no_row_can_hold_is_told_before_anything_is_done(integration, environment, owner_actor, now, apply):
    map_own(integration, owner_actor, now, phone="trim(record.phone)")
    text = export_environment(environment)
    mapping = text[text.index("  - role: crm") :].partition("  policies:")[0]
    wrong = {
        "up to 120 characters": text.replace(f"name: {integration.name}", f"name: {'n' * 200}", 1),
        "given twice": text.replace(mapping, mapping * 2, 1),
        "too long": text.replace("phone: trim", f"{'p' * 200}: trim", 1),
    }

    for message, broken in wrong.items():
        assert broken != text
        with pytest.raises(UnableToApply, match=message):
            apply(broken)
    assert export_environment(environment) == text


def test_with_a_second_person_applying_makes_a_draft(integration, environment, owner_actor, now, apply):
    map_own(integration, owner_actor, now, phone="trim(record.phone)")
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    text = export_environment(environment)

    apply(text.replace("trim(record.phone)", "text(record.phone)"))

    assert export_environment(environment) == text
    assert integration.mapping_overrides.get().expression == "trim(record.phone)"
    draft = integration.revisions.get(status="draft")
    assert draft.mappings[0]["fields"] == {"phone": "text(record.phone)"}


def test_the_command_exports_plans_and_applies(integration, environment, tmp_path, now):
    file = tmp_path / "northwind.yaml"
    call_command("configuration", "export", partner="acme", customer="northwind", file=str(file))
    told, again = StringIO(), StringIO()
    file.write_text(file.read_text().replace("first_task: Kick-off", "first_task: Begin"))
    call_command("configuration", "apply", partner="acme", file=str(file), stdout=told)
    call_command("configuration", "apply", partner="acme", file=str(file), stdout=again)

    assert told.getvalue().splitlines() == [
        "change: Opportunity to project", "  settings first_task: Kick-off → Begin", "Applied.",
    ]  # fmt: skip
    assert again.getvalue() == "Nothing to change.\n"
    with pytest.raises(CommandError, match="no customer nobody"):
        call_command("configuration", "export", partner="acme", customer="nobody")


@pytest.fixture
def sandbox(environment, systems, integration, owner_actor, now):
    place = Environment.objects.create(customer=environment.customer, kind="sandbox")
    bound = copied({role: systems[role] for role in ROLES}, place)
    return deploy_integration(
        actor=owner_actor, now=now, environment=place, template_version=integration.template_version, name="Deals",
        bindings=bound, settings={"first_task": "Try"},
    )  # fmt: skip


def test_a_sandbox_is_promoted_again_and_again(sandbox, environment, systems, owner_actor, now):
    first = plan_promotion(actor=owner_actor, integration=sandbox)
    made = promote_integration(actor=owner_actor, now=now, integration=sandbox)
    again = plan_promotion(actor=owner_actor, integration=sandbox)
    change_settings(actor=owner_actor, now=now, integration=sandbox, name="Deals", settings={"first_task": "Second"})
    sandbox.refresh_from_db()
    later = plan_promotion(actor=owner_actor, integration=sandbox)
    same = promote_integration(actor=owner_actor, now=now, integration=sandbox)

    assert (first.action, made.environment, made.status, made.settings["first_task"]) == (
        "create", environment, "live", "Try",
    )  # fmt: skip
    assert {b.role: b.connection for b in made.role_bindings.all()} == {role: systems[role] for role in ROLES}
    assert (again.action, again.details) == ("same", [])
    assert [(d.name, d.before, d.after) for d in later.details] == [("settings first_task", "Try", "Second")]
    same.refresh_from_db()
    assert (same.pk, same.settings["first_task"], same.promoted_from_id) == (made.pk, "Second", sandbox.pk)


def test_only_a_sandbox_is_promoted_and_only_with_all_systems(integration, sandbox, owner_actor):
    with pytest.raises(UnableToPromote, match="sandbox"):
        plan_promotion(actor=owner_actor, integration=integration)
    with pytest.raises(UnableToPromote) as raised:
        plan_promotion(actor=owner_actor, integration=sandbox, systems={})
    assert raised.value.field == "crm"
