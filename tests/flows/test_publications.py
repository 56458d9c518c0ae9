"""Mappings published to many integrations in the background: counted, watched, stopped, gone on with after a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.accounts.models import StaffMembership
from apps.accounts.services import authenticate_api_key, create_api_key, revoke_api_key
from apps.core.errors import NotPermitted, NotVisible
from apps.dispatch.models import WorkItem
from apps.flows.models import IntegrationRevision, MappingPublication
from apps.flows.partner_layer import get_publication, list_publications
from apps.flows.services import (
    UnableToPublishToAll,
    UnableToStopPublication,
    cancel_publication,
    carry_out_publication,
    change_partner_fields,
    publications,
    save_mapping,
    start_publication,
)
from apps.flows.services.publications import PUBLICATION_KIND
from tests.factories.askers import owner, owner_actor
from tests.sync.conftest import deploy, environment, fake_vendors, flow_of, systems
from tests.sync.fake_vendor import vendor

__all__ = ["deploy", "environment", "fake_vendors", "owner", "owner_actor", "systems"]
COMPANIES = ("crm", "read", "companies")


@pytest.fixture
def changed(deploy, owner_actor, now):
    """Two integrations with a change for all; the first refuses a value of its own."""
    vendor("crm").put("companies", "c1", name="Anvil", phone=" 1 ")
    refusing, other = deploy("opportunity-to-project"), deploy("payment-status")
    place = {"vendor": "fake_crm", "direction": "read", "object_name": "companies"}
    change_partner_fields(actor=owner_actor, now=now, fields={"phone": "trim(record.phone)"}, **place)
    save_mapping(actor=owner_actor, now=now, integration=refusing, place=COMPANIES, fields={"website": "1 + 1"})
    return [refusing, other]


def carry_out(publication, now):
    carry_out_publication(publication_id=publication.pk, now=lambda: now)
    publication.refresh_from_db()
    return publication


def test_each_is_published_by_itself_and_told(changed, owner_actor, now):
    publication = start_publication(actor=owner_actor, now=now, integrations=changed, note="Phones")
    assert (publication.is_active, publication.total, WorkItem.objects.get(kind=PUBLICATION_KIND).due_at) == (
        True,
        2,
        now,
    )

    carry_out(publication, now + timedelta(minutes=1))

    assert [outcome["status"] for outcome in publication.outcomes] == ["refused", "published"]
    assert "Companies, website" in publication.outcomes[0]["message"]
    assert publication.counts() == {"published": 1, "waiting": 0, "unchanged": 0, "refused": 1}
    assert (publication.done_count, publication.finished_at) == (2, now + timedelta(minutes=1))
    assert flow_of(changed[1]).current_version.published_by_label == owner_actor.label
    assert IntegrationRevision.objects.filter(integration=changed[1]).latest("number").author_id == owner_actor.id
    assert not WorkItem.objects.filter(kind=PUBLICATION_KIND).exists()


def test_a_worker_that_died_is_followed_by_one_that_goes_on(changed, owner_actor, now, monkeypatch):
    publication = start_publication(actor=owner_actor, now=now, integrations=changed, accepted=True)
    keep = publications._keep

    def die(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(publications, "_keep", die)
    with pytest.raises(KeyboardInterrupt):
        carry_out(publication, now)
    monkeypatch.setattr(publications, "_keep", keep)

    carry_out(publication, now)

    assert [outcome["status"] for outcome in publication.outcomes] == ["unchanged", "published"]
    assert [flow_of(integration).current_version.number for integration in changed] == [2, 2]


def test_it_is_stopped_between_two(changed, owner_actor, now):
    publication = start_publication(actor=owner_actor, now=now, integrations=changed[::-1])
    publications._publish_next(publication.pk, now)

    cancel_publication(actor=owner_actor, now=now, publication=publication)
    carry_out(publication, now)

    assert (publication.done_count, publication.canceled_at, publication.counts()["published"]) == (1, now, 1)
    with pytest.raises(UnableToStopPublication):
        cancel_publication(actor=owner_actor, now=now, publication=publication)


def test_what_is_gone_meanwhile_is_told(changed, owner_actor, now):
    publication = start_publication(actor=owner_actor, now=now, integrations=changed[1:])
    MappingPublication.objects.update(integration_ids=[publication.pk])

    carry_out(publication, now)

    assert publication.outcomes == [
        {"integration": str(publication.pk), "label": "", "status": "refused", "message": "It is not there any more."}
    ]


def test_only_who_may_and_only_what_is_seen(changed, owner_actor, now):
    with pytest.raises(UnableToPublishToAll):
        start_publication(actor=owner_actor, now=now, integrations=[])
    with pytest.raises(NotPermitted):
        start_publication(actor=replace(owner_actor, permissions=frozenset()), now=now, integrations=changed)
    stranger = replace(owner_actor, scope=frozenset())
    with pytest.raises(NotVisible):
        start_publication(actor=stranger, now=now, integrations=changed)

    publication = start_publication(actor=owner_actor, now=now, integrations=changed)

    assert list(list_publications(owner_actor)) == [publication]
    assert list(list_publications(stranger)) == []
    for act in (get_publication, lambda actor, pk: cancel_publication(actor=actor, now=now, publication=publication)):
        with pytest.raises(NotVisible):
            act(stranger, publication.pk)


def test_nobody_begins_one_after_the_other_without_end(changed, owner_actor, now, monkeypatch):
    monkeypatch.setattr(publications, "MOST_ACTIVE", 1)
    first = start_publication(actor=owner_actor, now=now, integrations=changed)
    with pytest.raises(UnableToPublishToAll, match="under way"):
        start_publication(actor=owner_actor, now=now, integrations=changed)

    colleague = replace(owner_actor, id="colleague")
    assert start_publication(actor=colleague, now=now, integrations=changed).is_active
    cancel_publication(actor=colleague, now=now, publication=first)
    assert start_publication(actor=owner_actor, now=now, integrations=changed).is_active


def test_it_stops_when_the_key_that_asked_is_revoked(changed, owner_actor, now):
    key, secret = create_api_key(actor=owner_actor, now=now, name="Robot", scopes=["integrations.manage"])
    asker = authenticate_api_key(secret, now)
    publication = start_publication(actor=asker, now=now, integrations=changed[::-1])
    publications._publish_next(publication.pk, now)
    revoke_api_key(actor=owner_actor, now=now, key=key)

    carry_out(publication, now)

    assert (publication.done_count, publication.counts()["published"], publication.is_active) == (1, 1, False)
    assert publication.stop_reason == "Robot (API key) was revoked."
    assert flow_of(changed[0]).current_version.number == 1
    assert not WorkItem.objects.filter(kind=PUBLICATION_KIND).exists()


def test_a_role_that_was_taken_away_publishes_nothing(changed, owner, owner_actor, now):
    publication = start_publication(actor=owner_actor, now=now, integrations=changed)
    StaffMembership.objects.filter(user=owner).update(role="support")

    carry_out(publication, now)

    assert (publication.outcomes, publication.stop_reason) == ([], "Staff owner may not do this any more.")
