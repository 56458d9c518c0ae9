"""The life of one version of an integration: handed in, given back, published, taken up again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.flows.models import (
    OPEN_VERSIONS,
    Integration,
    IntegrationRevision,
    VersionStatus,
)
from apps.flows.services.publishing import (
    bring_about,
    lock_integration,
    publish_state,
    require_no_rival,
    reset_layer,
    within,
)
from apps.flows.services.template_versions import UnableToRelease, check_release
from apps.flows.states import state_of_revision


@transaction.atomic
def restore_revision(
    *, actor: Actor, now: datetime, integration: Integration, revision: IntegrationRevision
) -> IntegrationRevision:
    """This function will publish an earlier revision again: template version, settings, schedule, policies, mappings.

    The customer's layer of mappings is set back to what it was then. Raises NothingToPublish, MappingRefused.
    """
    locked = lock_integration(actor, integration)
    if revision.integration_id != locked.pk or revision.status in OPEN_VERSIONS:
        raise NotVisible("There is no such version.")
    then = state_of_revision(within(revision, locked))
    names = ("version", "settings", "starts", "policies", "mappings")
    changes = {name: getattr(then, name) for name in names}
    made = bring_about(
        actor=actor, now=now, integration=locked, is_return=True, note=f"Version {revision.number} again", **changes
    )
    if made.status == VersionStatus.PUBLISHED:
        reset_layer(actor, now, locked, then.mappings)
        require_no_rival(locked)
    return made


@transaction.atomic
def submit_revision(*, actor: Actor, now: datetime, revision: IntegrationRevision) -> IntegrationRevision:
    """This function will hand a draft to whoever looks it over."""
    locked = _open(actor, revision, VersionStatus.DRAFT)
    locked.status, locked.review_note = VersionStatus.IN_REVIEW, ""
    locked.save(update_fields=["status", "review_note"])
    _audit(actor, now, locked.integration, "integration.submitted", {"version": locked.number})
    return locked


@transaction.atomic
def return_revision(*, actor: Actor, now: datetime, revision: IntegrationRevision, reason: str) -> IntegrationRevision:
    """This function will give a revision in review back to its author."""
    if not reason.strip():
        raise UnableToRelease("Say what is to be changed.")
    locked = _open(actor, revision, VersionStatus.IN_REVIEW)
    locked.status, locked.review_note = VersionStatus.DRAFT, reason.strip()[:500]
    locked.save(update_fields=["status", "review_note"])
    _audit(actor, now, locked.integration, "integration.returned", {"version": locked.number, "reason": reason})
    return locked


@transaction.atomic
def discard_revision(*, actor: Actor, now: datetime, revision: IntegrationRevision) -> None:
    locked = _open(actor, revision, *OPEN_VERSIONS)
    _audit(actor, now, locked.integration, "integration.discarded", {"version": locked.number})
    locked.delete()


@transaction.atomic
def publish_revision(*, actor: Actor, now: datetime, revision: IntegrationRevision) -> IntegrationRevision:
    """This function will put an open revision in force. Raises UnableToRelease, MappingRefused."""
    locked = _open(actor, revision, *OPEN_VERSIONS)
    check_release(actor, locked)
    integration = locked.integration
    if integration.revisions.filter(number__gt=locked.number).exists():
        raise UnableToRelease("The integration was changed since this was written. Discard it and begin anew.")
    state = state_of_revision(locked)
    made = publish_state(actor=actor, now=now, integration=integration, state=state, note=locked.note, revision=locked)
    if locked.is_return:
        reset_layer(actor, now, integration, state.mappings)
    require_no_rival(integration)
    return made


def _open(actor: Actor, revision: IntegrationRevision, *allowed: str) -> IntegrationRevision:
    integration = lock_integration(actor, revision.integration)
    locked = IntegrationRevision.objects.select_related("template_version").filter(pk=revision.pk).first()
    if locked is None:
        raise UnableToRelease("This draft was discarded.")
    if locked.status not in allowed:
        raise UnableToRelease(f"Version {locked.number} is {VersionStatus(locked.status).label.lower()}.")
    return within(locked, integration)


def _audit(actor: Actor, now: datetime, integration: Integration, action: str, after: dict[str, Any]) -> None:
    record_change(actor=actor, now=now, target=integration, action=action, before={}, after=after)
