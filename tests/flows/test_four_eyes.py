"""Where a second person publishes: nobody is that person for what they wrote themselves, in whatever way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.accounts.policies import API_SCOPES
from apps.accounts.services import authenticate_api_key, create_api_key
from apps.connectors.releasing import SecondPersonNeeded
from apps.connectors.services import archive_connection, publish_connector
from apps.connectors.services import save_draft as save_connector
from apps.flows.models import IntegrationRevision, IntegrationTemplateVersion
from apps.flows.services import (
    UnableToRelease,
    change_settings,
    fork_template,
    go_live,
    pause_integration,
    publish_revision,
    publish_template,
    resume_integration,
    set_field_policy,
    set_release_rules,
    submit_revision,
    submit_template,
)
from tests.factories.library import load_library
from tests.factories.uploads import connect_ledger, make_ledger


@pytest.fixture
def colleague(owner_actor):
    return replace(owner_actor, id="colleague", label="Carl Colleague")


@pytest.fixture
def key_of_owner(owner_actor, now):
    _, secret = create_api_key(actor=owner_actor, now=now, name="Robot", scopes=sorted(API_SCOPES))
    return authenticate_api_key(secret, now)


@pytest.fixture
def reviewed(partner, owner_actor, now):
    set_release_rules(actor=owner_actor, now=now, requires_review=True)


@pytest.fixture
def deploy_sandbox(deploy):
    draft = deploy("opportunity-to-project")
    draft.environment.kind = "sandbox"
    draft.environment.save()
    return draft


@pytest.fixture
def integration(deploy, colleague, now, reviewed):
    return go_live(actor=colleague, now=now, integration=deploy("opportunity-to-project"))


def change(actor, now, integration, **settings):
    integration.refresh_from_db()
    given = {**integration.settings, **settings}
    change_settings(actor=actor, now=now, integration=integration, name=integration.name, settings=given)
    return IntegrationRevision.objects.get(status="draft")


def test_nobody_publishes_what_their_own_key_changed(integration, owner_actor, key_of_owner, colleague, now):
    draft = change(key_of_owner, now, integration, first_task="Begin")
    submit_revision(actor=key_of_owner, now=now, revision=draft)

    with pytest.raises(UnableToRelease, match="yourself"):
        publish_revision(actor=owner_actor, now=now, revision=draft)

    assert publish_revision(actor=colleague, now=now, revision=draft).status == "published"


def test_nobody_publishes_the_template_that_their_own_key_wrote(reviewed, owner_actor, key_of_owner, colleague, now):
    load_library()
    shipped = IntegrationTemplateVersion.objects.get(template__key="payment-status")
    draft = fork_template(actor=key_of_owner, now=now, version=shipped, key="custom-mine", name="Mine")
    submit_template(actor=key_of_owner, now=now, version=draft)

    with pytest.raises(UnableToRelease, match="yourself"):
        publish_template(actor=owner_actor, now=now, version=draft)

    assert publish_template(actor=colleague, now=now, version=draft).status == "published"


def test_what_another_added_makes_it_no_less_ones_own(integration, owner_actor, colleague, now):
    change(owner_actor, now, integration, first_task="Begin")
    draft = change(colleague, now, integration, project_prefix="P-")
    submit_revision(actor=colleague, now=now, revision=draft)

    for author in (owner_actor, colleague):
        with pytest.raises(UnableToRelease, match="a part of it"):
            publish_revision(actor=author, now=now, revision=draft)

    third = replace(owner_actor, id="third", label="Thea Third")
    published = publish_revision(actor=third, now=now, revision=draft)
    assert (published.author_label, published.published_by_label) == ("Carl Colleague", "Thea Third")


def test_whoever_set_a_new_integration_up_does_not_take_it_live(
    deploy, reviewed, owner_actor, key_of_owner, colleague, now
):
    draft = deploy("opportunity-to-project")
    for actor, why in ((owner_actor, "yourself"), (key_of_owner, "API key")):
        with pytest.raises(UnableToRelease, match=why):
            go_live(actor=actor, now=now, integration=draft)
    draft.refresh_from_db()
    assert (draft.status, draft.author_ids) == ("draft", [owner_actor.id])

    change_settings(actor=colleague, now=now, integration=draft, name="Ours", settings=draft.settings)
    with pytest.raises(UnableToRelease, match="yourself"):
        go_live(actor=colleague, now=now, integration=draft)

    third = replace(owner_actor, id="third")
    assert go_live(actor=third, now=now, integration=draft).status == "live"
    assert resume_integration(actor=owner_actor, now=now, integration=pause_integration(actor=third, now=now, integration=draft)).status == "live"  # fmt: skip


def test_policies_are_a_part_of_what_is_set_up(deploy, reviewed, colleague, now):
    draft = deploy("opportunity-to-project")
    chosen = set_field_policy(
        actor=colleague, now=now, integration=draft, entity="account", field="@deleted", policy="propagate"
    )
    draft.refresh_from_db()
    assert chosen is not None
    assert colleague.id in draft.author_ids

    with pytest.raises(UnableToRelease, match="a part of it"):
        go_live(actor=colleague, now=now, integration=draft)


def test_nobody_changes_alone_how_production_is_spoken_to(
    reviewed, environment, owner_actor, key_of_owner, colleague, now
):
    ledger = make_ledger(owner_actor, now)
    changed = ledger.draft.replace("Ledger", "Ledger two", 1)
    save_connector(actor=owner_actor, now=now, connector=ledger, source=changed)
    publish_connector(actor=owner_actor, now=now, connector=ledger)  # nothing uses it yet
    connection = connect_ledger(owner_actor, now, environment)
    save_connector(actor=key_of_owner, now=now, connector=ledger, source=changed)

    for actor, why in ((owner_actor, "yourself"), (key_of_owner, "API key")):
        with pytest.raises(SecondPersonNeeded, match=why):
            publish_connector(actor=actor, now=now, connector=ledger)

    assert publish_connector(actor=colleague, now=now, connector=ledger).number == 3
    archive_connection(actor=owner_actor, now=now, connection=connection)
    save_connector(actor=owner_actor, now=now, connector=ledger, source=changed)
    assert publish_connector(actor=owner_actor, now=now, connector=ledger).number == 4


def test_a_sandbox_is_everybodys_to_start(deploy_sandbox, reviewed, owner_actor, now):
    assert go_live(actor=owner_actor, now=now, integration=deploy_sandbox).status == "live"
