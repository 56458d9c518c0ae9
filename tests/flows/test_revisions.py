"""Versions of an integration: what makes one, the review by a second person, and the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.flows.definition import parse_flow
from apps.flows.models import IntegrationRevision
from apps.flows.services import (
    NothingToPublish,
    UnableToRelease,
    change_settings,
    change_starts,
    discard_revision,
    go_live,
    publish_mappings,
    publish_revision,
    restore_revision,
    return_revision,
    save_mapping,
    set_release_rules,
    submit_revision,
)
from apps.flows.states import UnableToStart
from tests.sync.conftest import flow_of

COMPANIES = ("crm", "read", "companies")


@pytest.fixture
def integration(deploy, owner_actor, now):
    return go_live(actor=owner_actor, now=now, integration=deploy("opportunity-to-project"))


@pytest.fixture
def colleague(owner_actor):
    return replace(owner_actor, id="colleague", label="Carl Colleague")


@pytest.fixture
def set_to(integration, owner_actor, now):
    def change(actor=owner_actor, **settings):
        integration.refresh_from_db()
        given = {**integration.settings, **settings}
        return change_settings(actor=actor, now=now, integration=integration, name=integration.name, settings=given)

    return change


def every(integration, seconds):
    """The flow's triggers with another time between runs."""
    triggers = flow_of(integration).current_version.definition["triggers"]
    kept = [{name: value for name, value in trigger.items() if value} for trigger in triggers]
    return {"won-opportunities": [{"every": seconds} if "every" in trigger else trigger for trigger in kept]}


def history(integration):
    rows = IntegrationRevision.objects.filter(integration=integration).order_by("number")
    return [(row.number, row.status, row.note) for row in rows]


def test_settings_schedule_and_mappings_make_versions_of_one_line(integration, set_to, owner_actor, now):
    set_to(first_task="Begin")
    change_starts(actor=owner_actor, now=now, integration=integration, starts=every(integration, 900))
    save_mapping(
        actor=owner_actor, now=now, integration=integration, place=COMPANIES, fields={"phone": "trim(record.phone)"}
    )
    publish_mappings(actor=owner_actor, now=now, integration=integration, note="Trim", accepted=True)

    assert history(integration) == [
        (1, "deprecated", "As deployed"), (2, "deprecated", "Settings"), (3, "deprecated", "Schedule"),
        (4, "published", "Trim"),
    ]  # fmt: skip
    flow = flow_of(integration)
    assert (flow.schedule_seconds, parse_flow(flow.current_version.definition).schedule_seconds) == (900, 900)
    assert flow.current_version.number == 4
    newest = IntegrationRevision.objects.get(number=4)
    assert newest.settings["first_task"] == "Begin"
    assert newest.mappings[0]["fields"] == {"phone": "trim(record.phone)"}


def test_an_earlier_version_comes_back_whole(integration, set_to, owner_actor, now):
    set_to(first_task="Begin")
    save_mapping(
        actor=owner_actor, now=now, integration=integration, place=COMPANIES, fields={"phone": "trim(record.phone)"}
    )
    publish_mappings(actor=owner_actor, now=now, integration=integration, accepted=True)
    change_starts(actor=owner_actor, now=now, integration=integration, starts=every(integration, 900))
    first = IntegrationRevision.objects.get(number=1)

    restore_revision(actor=owner_actor, now=now + timedelta(hours=1), integration=integration, revision=first)

    integration.refresh_from_db()
    flow = flow_of(integration)
    assert (integration.settings["first_task"], flow.schedule_seconds) == ("Kick-off", 300)
    assert [mapping.fields for mapping in parse_flow(flow.current_version.definition).mappings] == [{}]
    assert integration.mapping_overrides.count() == 0
    assert history(integration)[-1] == (5, "published", "Version 1 again")
    with pytest.raises(NothingToPublish):
        restore_revision(actor=owner_actor, now=now, integration=integration, revision=first)


def test_saving_the_same_settings_makes_no_version(integration, set_to):
    set_to()

    assert history(integration) == []


def test_with_the_rule_a_change_waits_for_a_second_person(integration, set_to, owner_actor, colleague, now):
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    set_to(first_task="Begin")
    set_to(project_prefix="P-")
    draft = IntegrationRevision.objects.get(status="draft")

    integration.refresh_from_db()
    assert integration.settings["first_task"] == "Kick-off"
    assert (draft.settings["first_task"], draft.settings["project_prefix"]) == ("Kick-off", "P-")
    with pytest.raises(UnableToRelease, match="review first"):
        publish_revision(actor=colleague, now=now, revision=draft)
    submit_revision(actor=owner_actor, now=now, revision=draft)
    with pytest.raises(UnableToRelease, match="yourself"):
        publish_revision(actor=owner_actor, now=now, revision=draft)
    assert return_revision(actor=colleague, now=now, revision=draft, reason="Why?").review_note == "Why?"
    submit_revision(actor=owner_actor, now=now, revision=draft)
    published = publish_revision(actor=colleague, now=now, revision=draft)

    integration.refresh_from_db()
    assert integration.settings["project_prefix"] == "P-"
    assert (published.author_label, published.published_by_label) == ("Olive Owner", "Carl Colleague")
    assert [row[:2] for row in history(integration)] == [(1, "deprecated"), (2, "published")]


def test_a_reviewed_return_brings_the_mappings_back_too(integration, owner_actor, colleague, now):
    save_mapping(
        actor=owner_actor, now=now, integration=integration, place=COMPANIES, fields={"phone": "trim(record.phone)"}
    )
    publish_mappings(actor=owner_actor, now=now, integration=integration, accepted=True)
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    first = IntegrationRevision.objects.get(number=1)

    draft = restore_revision(actor=owner_actor, now=now, integration=integration, revision=first)
    assert integration.mapping_overrides.count() == 1
    submit_revision(actor=owner_actor, now=now, revision=draft)
    publish_revision(actor=colleague, now=now, revision=draft)

    assert integration.mapping_overrides.count() == 0


def test_a_discarded_draft_changes_nothing(integration, set_to, owner_actor, now):
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    set_to(first_task="Begin")

    discard_revision(actor=owner_actor, now=now, revision=IntegrationRevision.objects.get(status="draft"))

    integration.refresh_from_db()
    assert (integration.settings["first_task"], history(integration)) == ("Kick-off", [(1, "published", "As deployed")])


def test_what_starts_nothing_is_refused(integration, owner_actor, now):
    for given, message in (
        ([{"every": 5}], "60"),
        ([{"webhook": "hr"}], "hr"),
        ([{"at": "noon"}], "at"),
        ("often", "array"),
    ):
        with pytest.raises(UnableToStart, match=message):
            change_starts(actor=owner_actor, now=now, integration=integration, starts={"won-opportunities": given})
    assert history(integration) == []
