"""What an integration does about edits on both sides and about deletions, version by version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core.errors import Conflict
from apps.flows.comparing import compare_states
from apps.flows.configuration import export_environment
from apps.flows.models import FieldPolicy, IntegrationRevision
from apps.flows.services import (
    UnableToSetPolicy,
    go_live,
    publish_revision,
    reset_field_policy,
    restore_revision,
    retire_integration,
    set_field_policy,
    set_release_rules,
    submit_revision,
)
from apps.flows.services.configuration import apply_configuration
from apps.flows.services.planning import UnableToApply, plan_configuration
from apps.flows.states import state_of, state_of_revision


@pytest.fixture
def integration(deploy, owner_actor, now):
    return go_live(actor=owner_actor, now=now, integration=deploy("opportunity-to-project"))


@pytest.fixture
def decide(integration, owner_actor, now):
    def set_(field="phone", policy="latest_wins", role="", actor=owner_actor):
        return set_field_policy(
            actor=actor, now=now, integration=integration, entity="account", field=field, policy=policy, role=role
        )

    return set_


def in_force(integration):
    return list(integration.field_policies.order_by("field").values_list("field", "policy", "role"))


def version(integration, number):
    return IntegrationRevision.objects.get(integration=integration, number=number)


def test_each_change_is_a_version_with_its_differences(integration, decide, owner_actor, now):
    decide("phone", "system_of_record", "erp")
    decide("@deleted", "propagate")

    assert in_force(integration) == [("@deleted", "propagate", ""), ("phone", "system_of_record", "erp")]
    notes = [(one.number, one.status, len(one.policies)) for one in integration.revisions.order_by("number")]
    assert notes == [(1, "deprecated", 0), (2, "deprecated", 1), (3, "published", 2)]
    states = [state_of_revision(version(integration, number)) for number in (1, 3)]
    told = [(d.place, d.name, d.before) for d in compare_states(*states)]
    assert told == [
        ("Deletions", "account", "as the template says"),
        ("Edited on both sides", "account · phone", "as the template says"),
    ]
    assert compare_states(*states)[1].after.endswith(": ERP")
    decide("@deleted", "propagate")
    assert integration.revisions.count() == 3


def test_the_way_back_brings_the_policies_of_then(integration, decide, owner_actor, now):
    first = decide("phone", "latest_wins")
    decide("email", "ask")
    decide("phone", "ask")

    restore_revision(actor=owner_actor, now=now, integration=integration, revision=version(integration, 2))

    assert in_force(integration) == [("phone", "latest_wins", "")]
    assert FieldPolicy.objects.get(integration=integration).pk == first.pk
    assert version(integration, 5).note == "Version 2 again"


def test_a_version_from_before_policies_were_kept_leaves_them_as_they_are(integration, decide, owner_actor, now):
    decide("phone", "latest_wins")
    IntegrationRevision.objects.filter(number=1).update(policies=None, settings={"first_task": "Begin"})

    restore_revision(actor=owner_actor, now=now, integration=integration, revision=version(integration, 1))

    integration.refresh_from_db()
    assert (integration.settings["first_task"], in_force(integration)) == ("Begin", [("phone", "latest_wins", "")])


def test_a_second_person_puts_it_in_force(integration, decide, owner_actor, now):
    kept = decide("email", "ask")
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    assert decide("phone", "latest_wins") is None
    assert reset_field_policy(actor=owner_actor, now=now, policy=kept) is False
    assert in_force(integration) == [("email", "ask", "")]

    draft = integration.revisions.get(status="draft")
    assert [(p["field"], p["policy"]) for p in draft.policies] == [("phone", "latest_wins")]
    submit_revision(actor=owner_actor, now=now, revision=draft)
    colleague = replace(owner_actor, id="colleague", label="Carl Colleague")
    publish_revision(actor=colleague, now=now, revision=draft)

    assert in_force(integration) == [("phone", "latest_wins", "")]
    assert FieldPolicy.objects.get(integration=integration).changed_by_label == "Carl Colleague"


def test_an_integration_being_set_up_has_no_versions_yet(deploy, owner_actor, now):
    draft = deploy("opportunity-to-project")
    common = {"actor": owner_actor, "now": now}
    made = set_field_policy(**common, integration=draft, entity="account", field="phone", policy="ask")

    assert (made.policy, draft.revisions.count()) == ("ask", 0)
    assert reset_field_policy(**common, policy=made) is True
    assert in_force(draft) == []


def test_what_cannot_be_is_refused(integration, decide, owner_actor, now):
    with pytest.raises(UnableToSetPolicy) as error:
        decide("phone", "system_of_record", "hr")
    assert error.value.field == "role"
    retire_integration(actor=owner_actor, now=now, integration=integration)
    with pytest.raises(Conflict):
        decide()


def test_a_text_brings_them_in_the_one_version_it_makes(integration, decide, environment, owner_actor, now):
    decide("phone", "latest_wins")
    text = export_environment(environment)
    changed = text.replace("policy: latest_wins", "policy: ask").replace("first_task: Kick-off", "first_task: Begin")
    count = integration.revisions.count()
    details = plan_configuration(actor=owner_actor, text=changed).entries[0].details
    assert ("policies account phone", "latest_wins", "ask") in [(d.name, d.before, d.after) for d in details]

    apply_configuration(actor=owner_actor, now=now, text=changed)

    integration.refresh_from_db()
    assert (in_force(integration), integration.settings["first_task"]) == ([("phone", "ask", "")], "Begin")
    assert integration.revisions.count() == count + 1
    assert state_of(integration).policies == version(integration, count + 1).policies
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    apply_configuration(actor=owner_actor, now=now, text=text)
    assert in_force(integration) == [("phone", "ask", "")]
    assert integration.revisions.get(status="draft").policies[0]["policy"] == "latest_wins"


def test_a_policy_that_does_not_fit_is_told_with_its_line(integration, decide, environment, owner_actor):
    decide("phone", "latest_wins")
    text = export_environment(environment)

    for wrong, told in (("policy: propagate", "does not fit"), ("policy: system_of_record", "Choose the system")):
        with pytest.raises(UnableToApply, match=rf"Line \d+, integrations\[0\].policies\[0\]: .*{told}"):
            apply_configuration(actor=owner_actor, now=None, text=text.replace("policy: latest_wins", wrong))
