"""A partner's own templates: forked, written, looked over, published, and taken out of use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict
from apps.flows.definition import TemplateSpec
from apps.flows.models import (
    OPEN_VERSIONS,
    IntegrationRevision,
    IntegrationTemplate,
    IntegrationTemplateVersion,
    VersionStatus,
)
from apps.flows.services.release_rules import requires_second_person, why_not_alone
from apps.flows.sources import (
    KEY,
    InvalidSource,
    as_source,
    next_number,
    number_key,
    read_template_source,
    with_top_level,
)

FIRST_NUMBER = "1.0.0"
OWN_PREFIX = "custom-"  # what is shipped later never takes a partner's key


class UnableToWriteTemplate(AnticipatedError):
    """The text is no template, or its key or version cannot be; the message names the line."""


class UnableToRelease(Conflict):
    """The version's state, or the partner's own rules, do not allow this step."""


@transaction.atomic
def fork_template(
    *, actor: Actor, now: datetime, version: IntegrationTemplateVersion, key: str, name: str
) -> IntegrationTemplateVersion:
    """This function will begin a template of the partner's own from a released one; returns its first draft.

    Raises UnableToWriteTemplate when the key is taken or is none.
    """
    _require(actor)
    if not KEY.match(key) or not key.startswith(OWN_PREFIX):
        raise UnableToWriteTemplate(f"Small letters, digits and -, beginning with {OWN_PREFIX}.", field="key")
    if not name.strip() or len(name.strip()) > 120:
        raise UnableToWriteTemplate("Give it a name of at most 120 characters.", field="name")
    source = with_top_level(source_of(version), key=key, version=FIRST_NUMBER, name=name.strip())
    return _create_own(actor, now, source, forked_from=version)


@transaction.atomic
def create_template(*, actor: Actor, now: datetime, source: str) -> IntegrationTemplateVersion:
    """This function will begin a template of the partner's own from a text. Raises UnableToWriteTemplate."""
    _require(actor)
    return _create_own(actor, now, source, forked_from=None)


@transaction.atomic
def open_template_draft(
    *, actor: Actor, now: datetime, version: IntegrationTemplateVersion
) -> IntegrationTemplateVersion:
    """This function will begin the next version of an own template with the text of `version`; one at a time is open."""
    _require(actor)
    template = _lock(version.template)
    if not template.is_own:
        raise UnableToRelease("This template is shipped. Fork it to change it.")
    found = template.versions.filter(status__in=OPEN_VERSIONS).first()
    if found is not None:
        return found
    newest = max(template.versions.values_list("number", flat=True), key=number_key)
    source = with_top_level(source_of(version), version=next_number(newest))
    return _write(actor, now, IntegrationTemplateVersion(template=template), source, "")


@transaction.atomic
def save_template_draft(
    *, actor: Actor, now: datetime, version: IntegrationTemplateVersion, source: str, note: str = ""
) -> IntegrationTemplateVersion:
    """This function will replace a draft's text. Raises UnableToWriteTemplate with line and reason, UnableToRelease."""
    _require(actor)
    locked = _lock_version(version, VersionStatus.DRAFT)
    return _write(actor, now, locked, source, note)


@transaction.atomic
def discard_template_draft(*, actor: Actor, now: datetime, version: IntegrationTemplateVersion) -> None:
    """This function will drop a version that was never published; a template that has no other goes with it."""
    _require(actor)
    locked = _lock_version(version, *OPEN_VERSIONS)
    template = locked.template
    _audit(actor, now, locked, "template.discarded")
    locked.delete()
    if not template.versions.exists():
        template.delete()


@transaction.atomic
def submit_template(*, actor: Actor, now: datetime, version: IntegrationTemplateVersion) -> IntegrationTemplateVersion:
    """This function will hand a draft to whoever looks it over; it cannot be edited meanwhile."""
    _require(actor)
    locked = _lock_version(version, VersionStatus.DRAFT)
    locked.status, locked.review_note = VersionStatus.IN_REVIEW, ""
    locked.save(update_fields=["status", "review_note"])
    _audit(actor, now, locked, "template.submitted")
    return locked


@transaction.atomic
def return_template(
    *, actor: Actor, now: datetime, version: IntegrationTemplateVersion, reason: str
) -> IntegrationTemplateVersion:
    """This function will give a version in review back to its author, with what is to be changed."""
    _require(actor)
    if not reason.strip():
        raise UnableToWriteTemplate("Say what is to be changed.", field="reason")
    locked = _lock_version(version, VersionStatus.IN_REVIEW)
    locked.status, locked.review_note, locked.reviewer_label = VersionStatus.DRAFT, reason.strip()[:500], actor.label
    locked.save(update_fields=["status", "review_note", "reviewer_label"])
    _audit(actor, now, locked, "template.returned", {"reason": locked.review_note})
    return locked


@transaction.atomic
def publish_template(*, actor: Actor, now: datetime, version: IntegrationTemplateVersion) -> IntegrationTemplateVersion:
    """This function will release a version: it can be deployed and rolled out, and is immutable from now on.

    Raises UnableToRelease when the partner's rules ask for a second person.
    """
    _require(actor)
    locked = _lock_version(version, *OPEN_VERSIONS)
    check_release(actor, locked)
    _, spec = _read(locked.source)  # what a definition may say can have changed since it was saved
    _check_number(locked.template, spec, locked)
    locked.status, locked.released_at, locked.reviewer_label = VersionStatus.PUBLISHED, now, actor.label
    locked.save(update_fields=["status", "released_at", "reviewer_label"])
    IntegrationTemplate.objects.filter(pk=locked.template_id).update(name=spec.name[:120], summary=spec.summary[:300])
    _audit(actor, now, locked, "template.published", {"note": locked.note})
    return locked


@transaction.atomic
def deprecate_template(
    *, actor: Actor, now: datetime, version: IntegrationTemplateVersion, reason: str
) -> IntegrationTemplateVersion:
    """This function will end new deployments of a version; integrations that have it go on, and say so."""
    _require(actor)
    if not reason.strip():
        raise UnableToWriteTemplate("Say why, and what to use instead.", field="reason")
    locked = _lock_version(version, VersionStatus.PUBLISHED)
    locked.status, locked.deprecated_at = VersionStatus.DEPRECATED, now
    locked.deprecation_reason = reason.strip()[:300]
    locked.save(update_fields=["status", "deprecated_at", "deprecation_reason"])
    _audit(actor, now, locked, "template.deprecated", {"reason": locked.deprecation_reason})
    return locked


@transaction.atomic
def revive_template(*, actor: Actor, now: datetime, version: IntegrationTemplateVersion) -> IntegrationTemplateVersion:
    """This function will allow new deployments of a deprecated version again."""
    _require(actor)
    locked = _lock_version(version, VersionStatus.DEPRECATED)
    locked.status, locked.deprecated_at, locked.deprecation_reason = VersionStatus.PUBLISHED, None, ""
    locked.save(update_fields=["status", "deprecated_at", "deprecation_reason"])
    _audit(actor, now, locked, "template.revived")
    return locked


def check_release(actor: Actor, version: IntegrationTemplateVersion | IntegrationRevision) -> None:
    """Raises UnableToRelease unless the actor may publish what others wrote."""
    if not requires_second_person():
        return
    if version.status != VersionStatus.IN_REVIEW:
        raise UnableToRelease("Hand it in for review first: your company has a second person look over every change.")
    if reason := why_not_alone(actor, {version.author_id, *version.author_ids}):
        raise UnableToRelease(reason)


def has_written(actor: Actor, version: IntegrationTemplateVersion | IntegrationRevision) -> bool:
    """Whether the actor had a part in it, with an API key of their own making too."""
    return bool(actor.people & {version.author_id, *version.author_ids})


def source_of(version: IntegrationTemplateVersion) -> str:
    """The text of a version; those of before texts were kept are written anew."""
    return version.source or as_source(version.definition)


def _create_own(
    actor: Actor, now: datetime, source: str, forked_from: IntegrationTemplateVersion | None
) -> IntegrationTemplateVersion:
    _, spec = _read(source)
    if not spec.key.startswith(OWN_PREFIX):
        raise UnableToWriteTemplate(f"Keys of your own templates begin with {OWN_PREFIX}.", field="source")
    try:
        with transaction.atomic():
            template = IntegrationTemplate.objects.create(
                key=spec.key, name=spec.name[:120], summary=spec.summary[:300], is_own=True, forked_from=forked_from
            )
    except IntegrityError:
        raise UnableToWriteTemplate("There is a template with this key already.", field="key") from None
    return _write(actor, now, IntegrationTemplateVersion(template=template), source, "")


def _write(
    actor: Actor, now: datetime, version: IntegrationTemplateVersion, source: str, note: str
) -> IntegrationTemplateVersion:
    data, spec = _read(source)
    _check_number(version.template, spec, version)
    version.number, version.definition, version.source = spec.version, data, source
    version.status, version.note = VersionStatus.DRAFT, note.strip()[:200]
    # Whoever saves a text answers for all of it.
    version.author_id, version.author_ids = actor.id, sorted(actor.people)
    version.author_label, version.changed_at = actor.label, now
    version.save()
    _audit(actor, now, version, "template.written")
    return version


def _read(source: str) -> tuple[dict[str, Any], TemplateSpec]:
    try:
        return read_template_source(source)
    except InvalidSource as error:
        raise UnableToWriteTemplate(str(error), field="source") from error


def _check_number(template: IntegrationTemplate, spec: TemplateSpec, version: IntegrationTemplateVersion) -> None:
    if spec.key != template.key:
        raise UnableToWriteTemplate(f"The key of this template is {template.key}; it stays.", field="source")
    others = template.versions.exclude(pk=version.pk).values_list("number", flat=True)
    newest = max(others, key=number_key, default="")
    if newest and number_key(spec.version) <= number_key(newest):
        raise UnableToWriteTemplate(f"Give it a version above {newest}.", field="source")


def _require(actor: Actor) -> None:
    actor.require("templates.manage")
    actor.require_sight_of_all("Only the partner's own people change templates.")


def _lock(template: IntegrationTemplate) -> IntegrationTemplate:
    return IntegrationTemplate.objects.select_for_update().get(pk=template.pk)


def _lock_version(version: IntegrationTemplateVersion, *allowed: str) -> IntegrationTemplateVersion:
    """The version with its template, in one of the allowed states."""
    template = _lock(version.template)
    locked = IntegrationTemplateVersion.objects.filter(pk=version.pk).first()
    if locked is None:
        raise UnableToRelease("This draft was discarded.")
    locked.template = template
    if locked.status in OPEN_VERSIONS and not template.is_own:
        raise UnableToRelease("This template is shipped. Fork it to change it.")
    if locked.status not in allowed:
        raise UnableToRelease(f"Version {locked.number} is {VersionStatus(locked.status).label.lower()}.")
    return locked


def _audit(
    actor: Actor, now: datetime, version: IntegrationTemplateVersion, action: str, after: dict[str, Any] | None = None
) -> None:
    record_change(
        actor=actor, now=now, target=version, action=action, after={"version": version.number, **(after or {})}
    )
